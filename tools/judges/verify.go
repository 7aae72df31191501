package main

import (
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"time"
)

var usages = map[string]x509.ExtKeyUsage{
	"serverAuth": x509.ExtKeyUsageServerAuth,
	"clientAuth": x509.ExtKeyUsageClientAuth,
}

// verifyChain gives the common names of the chain that was found, from the leaf to the root.
func verifyChain(one Case) (any, error) {
	leaf, err := parseCertificate(one.Leaf)
	if err != nil {
		return nil, err
	}
	roots, err := pool(one.Roots)
	if err != nil {
		return nil, err
	}
	intermediates, err := pool(one.Intermediates)
	if err != nil {
		return nil, err
	}
	usage, known := usages[one.Usage]
	if !known {
		fail("there is no usage %q", one.Usage)
	}
	chains, err := leaf.Verify(x509.VerifyOptions{
		Roots:         roots,
		Intermediates: intermediates,
		DNSName:       one.Host,
		CurrentTime:   one.At,
		KeyUsages:     []x509.ExtKeyUsage{usage},
	})
	if err != nil {
		return nil, err
	}
	if err := checkRevocation(chains[0], one.Lists, one.At); err != nil {
		return nil, err
	}
	names := make([]string, len(chains[0]))
	for i, certificate := range chains[0] {
		names[i] = certificate.Subject.CommonName
	}
	return names, nil
}

// checkRevocation does what crypto/x509 leaves to its users: where lists are given, every certificate but the root
// needs one of its issuer that is valid now and does not name it.
func checkRevocation(chain []*x509.Certificate, lists []string, at time.Time) error {
	if len(lists) == 0 {
		return nil
	}
	if at.IsZero() {
		at = time.Now()
	}
	for i, certificate := range chain[:len(chain)-1] {
		list, err := listOf(chain[i+1], lists)
		if err != nil {
			return err
		}
		if at.Before(list.ThisUpdate) || at.After(list.NextUpdate) {
			return errors.New("the revocation list is not valid at this time")
		}
		for _, entry := range list.RevokedCertificateEntries {
			if entry.SerialNumber.Cmp(certificate.SerialNumber) == 0 {
				return errors.New("the certificate is revoked")
			}
		}
	}
	return nil
}

func listOf(issuer *x509.Certificate, lists []string) (*x509.RevocationList, error) {
	for _, text := range lists {
		list, err := parseList(text)
		if err != nil {
			return nil, err
		}
		if list.CheckSignatureFrom(issuer) == nil {
			return list, nil
		}
	}
	return nil, errors.New("no revocation list is signed by the certificate's issuer")
}

type revocationList struct {
	Number     string       `json:"number"`
	ThisUpdate time.Time    `json:"thisUpdate"`
	NextUpdate time.Time    `json:"nextUpdate"`
	Revoked    []revocation `json:"revoked"`
}

type revocation struct {
	Serial string    `json:"serial"`
	At     time.Time `json:"at"`
	Reason int       `json:"reason"`
}

// verifyList gives what it read in a list whose signature is good.
func verifyList(one Case) (any, error) {
	issuer, err := parseCertificate(one.Issuer)
	if err != nil {
		return nil, err
	}
	list, err := parseList(one.List)
	if err != nil {
		return nil, err
	}
	if err := list.CheckSignatureFrom(issuer); err != nil {
		return nil, err
	}
	read := revocationList{list.Number.String(), list.ThisUpdate, list.NextUpdate, []revocation{}}
	for _, entry := range list.RevokedCertificateEntries {
		serial := fmt.Sprintf("%X", entry.SerialNumber.Bytes())
		read.Revoked = append(read.Revoked, revocation{serial, entry.RevocationTime, entry.ReasonCode})
	}
	return read, nil
}

// verifyKey gives the kind of a private key that belongs to its certificate.
func verifyKey(one Case) (any, error) {
	certificate, err := parseCertificate(one.Certificate)
	if err != nil {
		return nil, err
	}
	octets, err := decode("PRIVATE KEY", one.Key)
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParsePKCS8PrivateKey(octets)
	if err != nil {
		return nil, err
	}
	public, comparable := parsed.(crypto.Signer).Public().(interface{ Equal(crypto.PublicKey) bool })
	if !comparable || !public.Equal(certificate.PublicKey) {
		return nil, errors.New("the key is not the certificate's")
	}
	return certificate.PublicKeyAlgorithm.String(), nil
}

// verifyRequest gives the common name of a PKCS #10 request that was signed with its own key.
func verifyRequest(one Case) (any, error) {
	octets, err := decode("CERTIFICATE REQUEST", one.Request)
	if err != nil {
		return nil, err
	}
	request, err := x509.ParseCertificateRequest(octets)
	if err != nil {
		return nil, err
	}
	return request.Subject.CommonName, request.CheckSignature()
}

func pool(texts []string) (*x509.CertPool, error) {
	made := x509.NewCertPool()
	for _, text := range texts {
		certificate, err := parseCertificate(text)
		if err != nil {
			return nil, err
		}
		made.AddCert(certificate)
	}
	return made, nil
}

func parseCertificate(text string) (*x509.Certificate, error) {
	octets, err := decode("CERTIFICATE", text)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(octets)
}

func parseList(text string) (*x509.RevocationList, error) {
	octets, err := decode("X509 CRL", text)
	if err != nil {
		return nil, err
	}
	return x509.ParseRevocationList(octets)
}
