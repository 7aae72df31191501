package main

import (
	"fmt"
	"sort"

	"github.com/zmap/zcrypto/x509"
	"github.com/zmap/zlint/v3"
	"github.com/zmap/zlint/v3/lint"
)

// What holds for every certificate and list. Left out are the policies of the public web's authorities and of those
// who list them (CA/Browser Forum, browsers, ETSI): a broker's own authority has not signed up to them.
var sources = lint.SourceList{
	lint.RFC3279,
	lint.RFC5280,
	lint.RFC5480,
	lint.RFC5891,
	lint.RFC6960,
	lint.RFC6962,
	lint.RFC8813,
	lint.Community,
}

// lints has them by what they said. Passed is for whoever wants to know that any were asked at all.
type lints struct {
	Errors   []string `json:"errors"`
	Warnings []string `json:"warnings"`
	Notices  []string `json:"notices"`
	Passed   []string `json:"passed"`
}

func runLints(one Case) (any, error) {
	registry, err := lint.GlobalRegistry().Filter(lint.FilterOptions{IncludeSources: sources})
	if err != nil {
		return nil, err
	}
	octets, isCertificate, err := either(one)
	if err != nil {
		return nil, err
	}
	if isCertificate {
		certificate, err := x509.ParseCertificate(octets)
		if err != nil {
			return nil, err
		}
		return sorted(zlint.LintCertificateEx(certificate, registry)), nil
	}
	list, err := x509.ParseRevocationList(octets)
	if err != nil {
		return nil, err
	}
	return sorted(zlint.LintRevocationListEx(list, registry)), nil
}

func sorted(results *zlint.ResultSet) *lints {
	found := &lints{Errors: []string{}, Warnings: []string{}, Notices: []string{}, Passed: []string{}}
	for name, result := range results.Results {
		said := name
		if result.Details != "" {
			said = fmt.Sprintf("%s: %s", name, result.Details)
		}
		switch result.Status {
		case lint.Error, lint.Fatal:
			found.Errors = append(found.Errors, said)
		case lint.Warn:
			found.Warnings = append(found.Warnings, said)
		case lint.Notice:
			found.Notices = append(found.Notices, said)
		case lint.Pass:
			found.Passed = append(found.Passed, name)
		}
	}
	for _, list := range [][]string{found.Errors, found.Warnings, found.Notices, found.Passed} {
		sort.Strings(list)
	}
	return found
}
