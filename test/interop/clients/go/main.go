// Publishes one message and prints the first one that arrives:
//
//	client FOLDER TOPIC FILTER MESSAGE
//
// The folder has the client's bundle in the format paho-go.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

type connection struct {
	Broker, ClientID, Username, Password, ServerName string
	CAFile, CertFile, KeyFile                        string
}

func main() {
	if err := run(os.Args[1], os.Args[2], os.Args[3], os.Args[4]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(folder, topic, filter, message string) error {
	if err := os.Chdir(folder); err != nil { // The PEM files are beside.
		return err
	}
	text, err := os.ReadFile("paho-go.json")
	if err != nil {
		return err
	}
	var c connection
	if err := json.Unmarshal(text, &c); err != nil {
		return err
	}
	tlsConfig, err := c.tlsConfig()
	if err != nil {
		return err
	}
	client := mqtt.NewClient(mqtt.NewClientOptions().
		AddBroker(c.Broker).
		SetClientID(c.ClientID).
		SetUsername(c.Username).
		SetPassword(c.Password).
		SetTLSConfig(tlsConfig).
		SetProtocolVersion(4).
		SetConnectTimeout(5 * time.Second))
	if err := done(client.Connect()); err != nil {
		return err
	}
	defer client.Disconnect(250)
	first := make(chan mqtt.Message, 1)
	receive := func(_ mqtt.Client, received mqtt.Message) {
		select {
		case first <- received:
		default:
		}
	}
	if err := done(client.Subscribe(filter, 1, receive)); err != nil {
		return err
	}
	if err := done(client.Publish(topic, 1, false, message)); err != nil {
		return err
	}
	// MQTT 3.1.1 does not say whether the broker let it through.
	select {
	case received := <-first:
		fmt.Println(received.Topic(), string(received.Payload()))
		return nil
	case <-time.After(5 * time.Second):
		return errors.New("no message within 5 s")
	}
}

func (c connection) tlsConfig() (*tls.Config, error) {
	config := &tls.Config{ServerName: c.ServerName}
	if c.CAFile != "" {
		ca, err := os.ReadFile(c.CAFile)
		if err != nil {
			return nil, err
		}
		config.RootCAs = x509.NewCertPool()
		config.RootCAs.AppendCertsFromPEM(ca)
	}
	if c.CertFile != "" {
		certificate, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile)
		if err != nil {
			return nil, err
		}
		config.Certificates = []tls.Certificate{certificate}
	}
	return config, nil
}

func done(token mqtt.Token) error {
	if !token.WaitTimeout(5 * time.Second) {
		return errors.New("no answer within 5 s")
	}
	return token.Error()
}
