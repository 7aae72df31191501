// Command judges lets Go's crypto/x509 and zlint judge certificates and revocation lists that others issued.
//
// It reads a JSON list of cases from standard input and prints the list of their verdicts.
package main

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"time"
)

// Case is one question to one judge. All that is X.509 is PEM; what a judge has no use for is left out.
type Case struct {
	// Judge is a name in judges.
	Judge string `json:"judge"`

	// A chain: the certificate of a peer, and what whoever meets it trusts, has and expects.
	Leaf          string    `json:"leaf"`
	Roots         []string  `json:"roots"`
	Intermediates []string  `json:"intermediates"`
	Lists         []string  `json:"lists"`
	Usage         string    `json:"usage"`
	Host          string    `json:"host"`
	At            time.Time `json:"at"`

	// One object, and who is said to have signed it.
	Certificate string `json:"certificate"`
	Key         string `json:"key"`
	Request     string `json:"request"`
	List        string `json:"list"`
	Issuer      string `json:"issuer"`

	// A file in the age format, in base64, and what opens it.
	Sealed     string `json:"sealed"`
	Passphrase string `json:"passphrase"`
	Identities string `json:"identities"`
}

var judges = map[string]func(Case) (any, error){
	"chain":   verifyChain,
	"list":    verifyList,
	"key":     verifyKey,
	"request": verifyRequest,
	"octets":  readOctets,
	"lint":    runLints,
	"unseal":  unseal,
}

// verdict has exactly one of the two.
type verdict struct {
	Refused  string `json:"refused,omitempty"`
	Accepted any    `json:"accepted,omitempty"`
}

func main() {
	var cases []Case
	if err := json.NewDecoder(os.Stdin).Decode(&cases); err != nil {
		fail("the cases cannot be read: %v", err)
	}
	verdicts := make([]verdict, len(cases))
	for i, one := range cases {
		judge, known := judges[one.Judge]
		if !known {
			// No verdict: whoever asked wrongly must not take it for a refusal.
			fail("there is no judge %q", one.Judge)
		}
		accepted, err := judge(one)
		if err != nil {
			verdicts[i] = verdict{Refused: err.Error()}
		} else {
			verdicts[i] = verdict{Accepted: accepted}
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(verdicts); err != nil {
		fail("the verdicts cannot be written: %v", err)
	}
}

func fail(format string, values ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", values...)
	os.Exit(2)
}

func decode(label, text string) ([]byte, error) {
	block, rest := pem.Decode([]byte(text))
	if block == nil || block.Type != label || len(rest) > 0 {
		return nil, fmt.Errorf("it is not exactly one PEM block %q", label)
	}
	return block.Bytes, nil
}

// either decodes what may be a certificate or a revocation list, and says which it is.
func either(one Case) (octets []byte, isCertificate bool, err error) {
	if one.Certificate != "" {
		octets, err = decode("CERTIFICATE", one.Certificate)
		return octets, true, err
	}
	octets, err = decode("X509 CRL", one.List)
	return octets, false, err
}
