package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	asynqerrors "github.com/hibiken/asynq/internal/errors"
	"github.com/hibiken/asynq/internal/rdb"
	"github.com/hibiken/asynq/internal/timeutil"
	"github.com/redis/go-redis/v9"
)

// call is one operation of Go's broker on one queue, at a time that the caller says. Messages are as on the wire; times
// are Unix milliseconds; what an operation does not want is left out.
type call struct {
	// Seq comes back with the answer.
	Seq   int64  `json:"seq"`
	Op    string `json:"op"`
	Now   int64  `json:"now"`
	Queue string `json:"queue"`
	Msg   []byte `json:"msg"`
	// Empty says that the message's payload is empty and not nil, which its bytes cannot.
	Empty     bool     `json:"empty"`
	ID        string   `json:"id"`
	IDs       []string `json:"ids"`
	Group     string   `json:"group"`
	Set       string   `json:"set"`
	At        int64    `json:"at"`
	Seconds   int64    `json:"seconds"`
	MaxDelay  int64    `json:"maxDelay"`
	Size      int      `json:"size"`
	Page      int      `json:"page"`
	Error     string   `json:"error"`
	IsFailure bool     `json:"isFailure"`
	Data      []byte   `json:"data"`
	Force     bool     `json:"force"`
}

type answer struct {
	Seq   int64        `json:"seq"`
	Value any          `json:"value,omitempty"`
	Error *answerError `json:"error,omitempty"`
}

type answerError struct {
	Kind string `json:"kind"`
	Code string `json:"code"`
	Text string `json:"text"`
}

// brokers gives each queue a broker of its own, since a broker has one clock and queues are at different times. Nobody
// calls for one queue twice at once.
type brokers struct {
	client redis.UniversalClient
	mu     sync.Mutex
	of     map[string]*brokerAt
}

type brokerAt struct {
	*rdb.RDB
	clock *timeutil.SimulatedClock
}

func (b *brokers) at(queue string, now int64) *brokerAt {
	b.mu.Lock()
	defer b.mu.Unlock()
	broker, ok := b.of[queue]
	if !ok {
		broker = &brokerAt{rdb.NewRDB(b.client), timeutil.NewSimulatedClock(time.Time{})}
		broker.SetClock(broker.clock)
		b.of[queue] = broker
	}
	broker.clock.SetTime(time.UnixMilli(now))
	return broker
}

func (b *brokers) forget(queue string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.of, queue)
}

// brokerCalls reads one call a line and prints an answer for each, as soon as it has it.
func brokerCalls(p peer, _ []string) error {
	client, ok := p.conn.MakeRedisClient().(redis.UniversalClient)
	if !ok {
		return fmt.Errorf("%T makes no Redis client", p.conn)
	}
	defer client.Close()
	all := &brokers{client: client, of: map[string]*brokerAt{}}
	var out sync.Mutex
	var calls sync.WaitGroup
	defer calls.Wait()
	in := json.NewDecoder(os.Stdin)
	for {
		var c call
		if err := in.Decode(&c); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		calls.Add(1)
		go func() {
			defer calls.Done()
			reply := all.answer(c)
			out.Lock()
			defer out.Unlock()
			if err := p.out.Encode(reply); err != nil {
				fmt.Fprintf(os.Stderr, "go-peer rdb: %v\n", err)
			}
		}()
	}
}

func (b *brokers) answer(c call) answer {
	if c.Op == "forget" {
		b.forget(c.Queue)
		return answer{Seq: c.Seq}
	}
	do, ok := brokerOps[c.Op]
	if !ok {
		return answer{Seq: c.Seq, Error: &answerError{Kind: "peer", Text: fmt.Sprintf("no operation is called %q", c.Op)}}
	}
	value, err := do(b.at(c.Queue, c.Now), c)
	if err != nil {
		code := asynqerrors.CanonicalCode(err).String()
		return answer{Seq: c.Seq, Error: &answerError{Kind: brokerErrorKind(err), Code: code, Text: err.Error()}}
	}
	return answer{Seq: c.Seq, Value: value}
}

func brokerErrorKind(err error) string {
	switch {
	case errors.Is(err, asynqerrors.ErrDuplicateTask):
		return "duplicate"
	case errors.Is(err, asynqerrors.ErrTaskIdConflict):
		return "conflict"
	case errors.Is(err, asynqerrors.ErrNoProcessableTask):
		return "empty"
	case asynqerrors.IsTaskNotFound(err):
		return "task not found"
	case asynqerrors.IsQueueNotFound(err):
		return "queue not found"
	case asynqerrors.IsQueueNotEmpty(err):
		return "queue not empty"
	case asynqerrors.IsTaskAlreadyArchived(err):
		return "already archived"
	default:
		return "other"
	}
}
