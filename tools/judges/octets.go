package main

import (
	"encoding/asn1"
	"encoding/hex"
	"fmt"
)

// What crypto/x509 hides behind its types: how the octets of a certificate or list say it.
type reading struct {
	// Serials has the content octets of each serial number, the sign's included.
	Serials []string `json:"serials"`
	// Names has the type of each string in issuer and subject.
	Names []string `json:"names"`
	// Times has each time with its type, in the order of the octets.
	Times []string `json:"times"`
}

// The parts of RFC 5280 that are looked at; encoding/asn1 passes over what follows them in a SEQUENCE.
type (
	certificateOctets struct {
		Body struct {
			Version   int `asn1:"explicit,tag:0"`
			Serial    asn1.RawValue
			Algorithm asn1.RawValue
			Issuer    []attributeSET
			Validity  struct{ NotBefore, NotAfter asn1.RawValue }
			Subject   []attributeSET
		}
	}
	listOctets struct {
		Body struct {
			Version    int
			Algorithm  asn1.RawValue
			Issuer     []attributeSET
			ThisUpdate asn1.RawValue
			NextUpdate asn1.RawValue
			Revoked    []entryOctets `asn1:"optional"`
		}
	}
	entryOctets struct{ Serial, At asn1.RawValue }
	// The suffix tells encoding/asn1 that it is a SET.
	attributeSET []attribute
	attribute    struct {
		Type  asn1.ObjectIdentifier
		Value asn1.RawValue
	}
)

func readOctets(one Case) (any, error) {
	encoded, isCertificate, err := either(one)
	if err != nil {
		return nil, err
	}
	found := &reading{Serials: []string{}, Names: []string{}, Times: []string{}}
	if isCertificate {
		var read certificateOctets
		_, err := asn1.Unmarshal(encoded, &read)
		found.serial(read.Body.Serial)
		found.name(read.Body.Issuer)
		found.name(read.Body.Subject)
		found.time(read.Body.Validity.NotBefore)
		found.time(read.Body.Validity.NotAfter)
		return found, err
	}
	var read listOctets
	_, err = asn1.Unmarshal(encoded, &read)
	found.name(read.Body.Issuer)
	found.time(read.Body.ThisUpdate)
	found.time(read.Body.NextUpdate)
	for _, one := range read.Body.Revoked {
		found.serial(one.Serial)
		found.time(one.At)
	}
	return found, err
}

func (found *reading) serial(value asn1.RawValue) {
	found.Serials = append(found.Serials, hex.EncodeToString(value.Bytes))
}

func (found *reading) time(value asn1.RawValue) {
	found.Times = append(found.Times, typeOf(value)+" "+string(value.Bytes))
}

func (found *reading) name(name []attributeSET) {
	for _, set := range name {
		for _, one := range set {
			found.Names = append(found.Names, typeOf(one.Value))
		}
	}
}

var types = map[int]string{
	asn1.TagUTF8String:      "UTF8String",
	asn1.TagPrintableString: "PrintableString",
	asn1.TagUTCTime:         "UTCTime",
	asn1.TagGeneralizedTime: "GeneralizedTime",
}

func typeOf(value asn1.RawValue) string {
	if name, known := types[value.Tag]; known && value.Class == asn1.ClassUniversal {
		return name
	}
	return fmt.Sprintf("class %d, tag %d", value.Class, value.Tag)
}
