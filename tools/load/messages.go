package main

import (
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/eclipse/paho.golang/paho"
)

// counts are of all clients together, since the start.
type counts struct {
	sent, acknowledged, refused   atomic.Uint64
	received, missing, duplicates atomic.Uint64
	resumed                       atomic.Uint64
	slowest                       atomic.Int64
}

// totals is the answer to count.
type totals struct {
	Connected int `json:"connected"`
	// Resumed is how many handshakes resumed a TLS session.
	Resumed uint64 `json:"resumed"`
	// Sent was handed to the library; at QoS 1, Acknowledged by the broker.
	Sent         uint64 `json:"sent"`
	Acknowledged uint64 `json:"acknowledged"`
	Refused      uint64 `json:"refused"`
	// Received is without Duplicates. Missing are those before one that came.
	Received   uint64 `json:"received"`
	Missing    uint64 `json:"missing"`
	Duplicates uint64 `json:"duplicates"`
	// SlowestMs is the longest time from PUBLISH to PUBACK since the last count.
	SlowestMs float64 `json:"slowestMs"`
}

func (l *load) count() totals {
	l.mutex.Lock()
	connected := len(l.clients) - l.away
	l.mutex.Unlock()
	c := &l.counts
	return totals{
		connected, c.resumed.Load(), c.sent.Load(), c.acknowledged.Load(), c.refused.Load(),
		c.received.Load(), c.missing.Load(), c.duplicates.Load(),
		float64(c.slowest.Swap(0)) / float64(time.Millisecond),
	}
}

// startPublishing numbers the messages: of one connection and topic they come in order (MQTT 5 section 4.6).
func (c *client) startPublishing(command command) error {
	if c.publishing != nil {
		return errors.New("it publishes already")
	}
	c.publishing, c.published = make(chan struct{}), make(chan struct{})
	go func(end <-chan struct{}, ended chan<- struct{}) {
		defer close(ended)
		every := time.Duration(command.EveryMs) * time.Millisecond
		if every > 0 {
			// Not all at the same moment.
			if !sleep(time.Duration(rand.Int64N(int64(every))), end) {
				return
			}
		}
		for {
			start := time.Now()
			c.publish(c.fill(command.Topic), command.QoS, command.Bytes)
			if !sleep(every-time.Since(start), end) {
				return
			}
		}
	}(c.publishing, c.published)
	return nil
}

func (c *client) stopPublishing() error {
	if c.publishing != nil {
		close(c.publishing)
		<-c.published
		c.publishing = nil
	}
	return nil
}

func (c *client) publish(topic string, qos byte, bytes int) {
	counts := &c.load.counts
	payload := make([]byte, max(bytes, 8))
	binary.BigEndian.PutUint64(payload, c.sent+1)
	counts.sent.Add(1)
	start := time.Now()
	_, err := c.current().Publish(context.Background(), &paho.Publish{Topic: topic, QoS: qos, Payload: payload})
	if err != nil {
		counts.refused.Add(1)
		return
	}
	c.sent++
	counts.acknowledged.Add(1)
	took := int64(time.Since(start))
	for slowest := counts.slowest.Load(); took > slowest; slowest = counts.slowest.Load() {
		if counts.slowest.CompareAndSwap(slowest, took) {
			break
		}
	}
}

// receive runs in one goroutine of each client.
func (c *client) receive(message paho.PublishReceived) (bool, error) {
	counts := &c.load.counts
	number := binary.BigEndian.Uint64(message.Packet.Payload)
	last := c.last[message.Packet.Topic]
	if number <= last {
		counts.duplicates.Add(1)
		return true, nil
	}
	counts.missing.Add(number - last - 1)
	counts.received.Add(1)
	c.last[message.Packet.Topic] = number
	return true, nil
}

// sleep tells whether it was not ended.
func sleep(duration time.Duration, end <-chan struct{}) bool {
	if duration <= 0 {
		select {
		case <-end:
			return false
		default:
			return true
		}
	}
	select {
	case <-end:
		return false
	case <-time.After(duration):
		return true
	}
}
