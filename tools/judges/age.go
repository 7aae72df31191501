package main

import (
	"bytes"
	"encoding/base64"
	"io"
	"strings"

	"filippo.io/age"
)

// unseal opens a file in the age format, in base64, by a passphrase or by an identity, and returns its content in base64.
func unseal(one Case) (any, error) {
	sealed, err := base64.StdEncoding.DecodeString(one.Sealed)
	if err != nil {
		return nil, err
	}
	var identities []age.Identity
	if one.Passphrase != "" {
		identity, err := age.NewScryptIdentity(one.Passphrase)
		if err != nil {
			return nil, err
		}
		identities = []age.Identity{identity}
	} else if identities, err = age.ParseIdentities(strings.NewReader(one.Identities)); err != nil {
		return nil, err
	}
	opened, err := age.Decrypt(bytes.NewReader(sealed), identities...)
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(opened)
	if err != nil {
		return nil, err
	}
	return base64.StdEncoding.EncodeToString(content), nil
}
