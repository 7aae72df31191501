// Command load holds thousands of MQTT connections, each by its own connection bundle, and lets them publish and count.
//
//	load FOLDER
//
// FOLDER has the bundles as NAME.json. It reads one command as JSON on each line of standard input, answers each with
// one line, in their order, and tells on lines between what happens meanwhile. It ends with its input.
package main

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"strings"
	"sync"
	"time"
)

// command is what one line of input asks for. What it has no use for is left out.
type command struct {
	// Do is connect, subscribe, publish, stop, disconnect or count.
	Do string `json:"do"`
	// Clients is a pattern for path.Match: which of them. Connect takes what the folder has; all others, who is connected.
	Clients string `json:"clients"`

	// Of connect. AtOnce is how many handshakes run at a time.
	AtOnce int `json:"atOnce"`
	options

	// Of subscribe and publish: {number} is what stands behind the last "-" of a client's name.
	Topic string `json:"topic"`
	QoS   byte   `json:"qos"`
	// Of publish. EveryMs 0 is as fast as the broker takes them.
	EveryMs int `json:"everyMs"`
	Bytes   int `json:"bytes"`
}

// load is all connections and what they count.
type load struct {
	folder  string
	mutex   sync.Mutex
	clients map[string]*client
	counts  counts
	// sessions are of TLS, by the clients' names.
	sessions map[string]tls.ClientSessionCache
	// away is how many of those that come back are not there, since when.
	away  int
	since time.Time
}

var output sync.Mutex

func say(line any) {
	output.Lock()
	defer output.Unlock()
	_ = json.NewEncoder(os.Stdout).Encode(line)
}

func main() {
	l := &load{folder: os.Args[1], clients: map[string]*client{}, sessions: map[string]tls.ClientSessionCache{}}
	input := bufio.NewScanner(os.Stdin)
	for input.Scan() {
		var c command
		err := json.Unmarshal(input.Bytes(), &c)
		var answer any
		if err == nil {
			answer, err = l.run(c)
		}
		if err != nil {
			answer = map[string]string{"error": err.Error()}
		}
		say(map[string]any{"answer": answer})
	}
}

func (l *load) run(c command) (any, error) {
	switch c.Do {
	case "connect":
		return l.connect(c)
	case "subscribe":
		return l.each(c, func(client *client) error { return client.subscribe(client.fill(c.Topic), c.QoS) })
	case "publish":
		return l.each(c, func(client *client) error { return client.startPublishing(c) })
	case "stop":
		return l.each(c, func(client *client) error { return client.stopPublishing() })
	case "disconnect":
		return l.each(c, func(client *client) error { return client.leave() })
	case "count":
		return l.count(), nil
	}
	return nil, fmt.Errorf("unknown command %q", c.Do)
}

// connected is the answer to connect.
type connected struct {
	Connected int `json:"connected"`
	// Refused has by name why a client did not get in.
	Refused map[string]string `json:"refused"`
	Seconds float64           `json:"seconds"`
}

func (l *load) connect(c command) (any, error) {
	files, err := os.ReadDir(l.folder)
	if err != nil {
		return nil, err
	}
	var clients []*client
	for _, file := range files {
		name, isBundle := strings.CutSuffix(file.Name(), ".json")
		if matches, err := path.Match(c.Clients, name); !isBundle || !matches || err != nil {
			continue
		}
		client, err := readClient(l, path.Join(l.folder, file.Name()), name, c.options)
		if err != nil {
			return nil, err
		}
		clients = append(clients, client)
	}
	result := connected{Refused: map[string]string{}}
	var mutex sync.Mutex
	start := time.Now()
	inParallel(clients, max(c.AtOnce, 1), func(client *client) {
		err := client.connect()
		mutex.Lock()
		defer mutex.Unlock()
		if err != nil {
			result.Refused[client.name] = err.Error()
		} else {
			result.Connected++
		}
	})
	result.Seconds = time.Since(start).Seconds()
	return result, nil
}

// each does something with the clients that are connected. @returns how many
func (l *load) each(c command, do func(*client) error) (any, error) {
	var chosen []*client
	l.mutex.Lock()
	for name, client := range l.clients {
		if matches, _ := path.Match(c.Clients, name); matches {
			chosen = append(chosen, client)
		}
	}
	l.mutex.Unlock()
	var failure error
	var mutex sync.Mutex
	inParallel(chosen, 100, func(client *client) {
		if err := do(client); err != nil {
			mutex.Lock()
			defer mutex.Unlock()
			failure = fmt.Errorf("%s: %w", client.name, err)
		}
	})
	return map[string]int{"clients": len(chosen)}, failure
}

func inParallel(clients []*client, atOnce int, do func(*client)) {
	queue := make(chan *client)
	var workers sync.WaitGroup
	for range min(atOnce, len(clients)) {
		workers.Go(func() {
			for client := range queue {
				do(client)
			}
		})
	}
	for _, client := range clients {
		queue <- client
	}
	close(queue)
	workers.Wait()
}
