package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/eclipse/paho.golang/paho"
)

// options are how clients connect, beside what their bundles say.
type options struct {
	// Address is dialled instead of the bundle's host; the certificate is checked as the bundle says.
	Address string `json:"address"`
	// TLS is the highest version: "1.2" or "1.3".
	TLS string `json:"tls"`
	// Resume lets a client that connects again resume its TLS session.
	Resume bool `json:"resume"`
	// Persistent clients have a session that outlives the connection.
	Persistent bool `json:"persistent"`
	// ComeBack lets a client that was disconnected connect again, until it is in.
	ComeBack bool   `json:"comeBack"`
	Seconds  uint16 `json:"keepAlive"`
}

// bundle is the part of a connection bundle that connecting takes.
type bundle struct {
	Host       string `json:"host"`
	Port       int    `json:"port"`
	Protocol   string `json:"protocol"`
	ServerName string `json:"server_name"`
	ClientID   string `json:"client_id"`
	Username   string `json:"username"`
	Password   string `json:"password"`
	CaPEM      string `json:"ca_pem"`
	CertPEM    string `json:"cert_pem"`
	KeyPEM     string `json:"key_pem"`
}

type client struct {
	load   *load
	name   string
	bundle bundle
	options
	tls *tls.Config

	mutex   sync.Mutex
	paho    *paho.Client
	leaving bool
	// publishing ends it when closed; published is closed when it has ended.
	publishing, published chan struct{}
	sent                  uint64
	last                  map[string]uint64
}

const limit = 30 * time.Second

func readClient(l *load, file, name string, o options) (*client, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	c := &client{load: l, name: name, options: o, last: map[string]uint64{}}
	if err := json.Unmarshal(text, &c.bundle); err != nil {
		return nil, err
	}
	if c.bundle.CaPEM == "" {
		return c, nil
	}
	c.tls = &tls.Config{ServerName: c.bundle.ServerName, RootCAs: x509.NewCertPool()}
	c.tls.RootCAs.AppendCertsFromPEM([]byte(c.bundle.CaPEM))
	if o.TLS == "1.2" {
		c.tls.MaxVersion = tls.VersionTLS12
	}
	if o.Resume {
		c.tls.ClientSessionCache = l.sessionsOf(name)
	}
	if c.bundle.CertPEM != "" {
		pair, err := tls.X509KeyPair([]byte(c.bundle.CertPEM), []byte(c.bundle.KeyPEM))
		if err != nil {
			return nil, err
		}
		c.tls.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// fill puts the number of this client into a topic.
func (c *client) fill(topic string) string {
	return strings.ReplaceAll(topic, "{number}", c.name[strings.LastIndex(c.name, "-")+1:])
}

// connect goes from TCP through CONNACK.
func (c *client) connect() error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	conn, err := c.dial(ctx)
	if err != nil {
		return err
	}
	gone := make(chan string, 4)
	client := paho.NewClient(paho.ClientConfig{
		Conn:               conn,
		PacketTimeout:      limit,
		OnPublishReceived:  []func(paho.PublishReceived) (bool, error){c.receive},
		OnClientError:      func(err error) { gone <- err.Error() },
		OnServerDisconnect: func(d *paho.Disconnect) { gone <- fmt.Sprintf("DISCONNECT 0x%02x", d.ReasonCode) },
	})
	// The library keeps room for that many messages, of each client.
	receiveMaximum := uint16(20)
	expiry := uint32(0)
	if c.Persistent {
		expiry = 0xffffffff
	}
	connack, err := client.Connect(ctx, &paho.Connect{
		ClientID:     c.bundle.ClientID,
		KeepAlive:    c.Seconds,
		CleanStart:   !c.Persistent,
		Username:     c.bundle.Username,
		UsernameFlag: c.bundle.Username != "",
		Password:     []byte(c.bundle.Password),
		PasswordFlag: c.bundle.Password != "",
		Properties:   &paho.ConnectProperties{ReceiveMaximum: &receiveMaximum, SessionExpiryInterval: &expiry},
	})
	if err != nil {
		_ = conn.Close()
		if connack != nil {
			return fmt.Errorf("CONNACK 0x%02x", connack.ReasonCode)
		}
		return err
	}
	c.mutex.Lock()
	c.paho, c.leaving = client, false
	c.mutex.Unlock()
	c.load.add(c)
	if secured, isTLS := conn.(*bufferedConn).Conn.(*tls.Conn); isTLS && secured.ConnectionState().DidResume {
		c.load.counts.resumed.Add(1)
	}
	go c.watch(client, gone)
	return nil
}

func (c *client) dial(ctx context.Context) (net.Conn, error) {
	host := c.bundle.Host
	if c.Address != "" {
		host = c.Address
	}
	address := net.JoinHostPort(host, strconv.Itoa(c.bundle.Port))
	dialer := &net.Dialer{Timeout: limit}
	if c.current() != nil {
		// So that a broker that is not there yet costs a moment only; the handshake is part of it.
		dialer.Timeout = 5 * time.Second
	}
	switch c.bundle.Protocol {
	case "mqtt":
		conn, err := dialer.DialContext(ctx, "tcp", address)
		return buffered(conn), err
	case "mqtts":
		conn, err := (&tls.Dialer{NetDialer: dialer, Config: c.tls}).DialContext(ctx, "tcp", address)
		return buffered(conn), err
	case "wss":
		transport := &http.Transport{TLSClientConfig: c.tls}
		transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, address)
		}
		options := &websocket.DialOptions{HTTPClient: &http.Client{Transport: transport}, Subprotocols: []string{"mqtt"}}
		url := "wss://" + net.JoinHostPort(c.bundle.ServerName, strconv.Itoa(c.bundle.Port)) + "/mqtt"
		socket, _, err := websocket.Dial(ctx, url, options)
		if err != nil {
			return nil, err
		}
		socket.SetReadLimit(-1)
		return buffered(websocket.NetConn(context.Background(), socket, websocket.MessageBinary)), nil
	}
	return nil, errors.New("unknown protocol " + c.bundle.Protocol)
}

// watch waits for the end of a connection.
func (c *client) watch(client *paho.Client, gone <-chan string) {
	<-client.Done()
	c.mutex.Lock()
	leaving := c.leaving
	c.mutex.Unlock()
	if leaving {
		return
	}
	reason := "closed"
	select {
	case reason = <-gone:
	case <-time.After(time.Second): // It comes behind Done.
	}
	if !c.ComeBack {
		c.load.remove(c)
		say(map[string]string{"event": "disconnected", "client": c.name, "reason": reason})
		return
	}
	c.load.left()
	for {
		time.Sleep(time.Duration(50+rand.IntN(100)) * time.Millisecond)
		if c.connect() == nil {
			c.load.cameBack()
			return
		}
	}
}

func (c *client) current() *paho.Client {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.paho
}

func (c *client) leave() error {
	c.mutex.Lock()
	c.leaving = true
	c.mutex.Unlock()
	c.load.remove(c)
	return c.current().Disconnect(&paho.Disconnect{})
}

func (c *client) subscribe(filter string, qos byte) error {
	_, err := c.current().Subscribe(context.Background(), &paho.Subscribe{
		Subscriptions: []paho.SubscribeOptions{{Topic: filter, QoS: qos}},
	})
	return err
}

func (l *load) sessionsOf(name string) tls.ClientSessionCache {
	if l.sessions[name] == nil {
		l.sessions[name] = tls.NewLRUClientSessionCache(1)
	}
	return l.sessions[name]
}

func (l *load) add(c *client) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.clients[c.name] = c
}

func (l *load) remove(c *client) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.clients[c.name] == c {
		delete(l.clients, c.name)
	}
}

func (l *load) left() {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.away == 0 {
		l.since = time.Now()
	}
	l.away++
}

func (l *load) cameBack() {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.away--; l.away == 0 {
		say(map[string]any{"event": "all back", "seconds": time.Since(l.since).Seconds()})
	}
}

// bufferedConn sends a packet at once: the library writes it in pieces, each of which would be a TLS record.
type bufferedConn struct {
	net.Conn
	mutex  sync.Mutex
	reader *bufio.Reader
	writer *bufio.Writer
}

func buffered(conn net.Conn) net.Conn {
	if conn == nil {
		return nil
	}
	return &bufferedConn{Conn: conn, reader: bufio.NewReaderSize(conn, 2048), writer: bufio.NewWriterSize(conn, 2048)}
}

func (b *bufferedConn) Read(into []byte) (int, error)  { return b.reader.Read(into) }
func (b *bufferedConn) Write(data []byte) (int, error) { return b.writer.Write(data) }

// Lock is called before each packet, Unlock behind it.
func (b *bufferedConn) Lock() { b.mutex.Lock() }
func (b *bufferedConn) Unlock() {
	_ = b.writer.Flush() // Its error comes again from the next Write.
	b.mutex.Unlock()
}
