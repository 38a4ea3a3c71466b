package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hibiken/asynq"
)

// bench measures Go's asynq: `enqueue` from a number of goroutines that share one client, `drain` from the start of a
// server with a handler that does nothing until it has handled n tasks that wait already.
func bench(p peer, args []string) error {
	mode, args := shift(args)
	flags := flag.NewFlagSet("bench", flag.ExitOnError)
	queue := flags.String("queue", "default", "queue")
	n := flags.Int("n", 10_000, "tasks")
	concurrency := flags.Int("concurrency", 10, "tasks at once; of enqueue: goroutines")
	payload := flags.Int("payload", 64, "bytes of payload")
	if err := flags.Parse(args); err != nil {
		return err
	}
	var took time.Duration
	var err error
	switch mode {
	case "enqueue":
		took, err = benchEnqueue(p, *queue, *n, *concurrency, *payload)
	case "drain":
		took, err = benchDrain(p, *queue, *n, *concurrency)
	default:
		return fmt.Errorf("no bench is called %q", mode)
	}
	if err != nil {
		return err
	}
	return p.out.Encode(map[string]any{
		"bench": mode, "tasks": *n, "concurrency": *concurrency,
		"seconds": took.Seconds(), "rate": float64(*n) / took.Seconds(),
	})
}

func benchEnqueue(p peer, queue string, n, goroutines, size int) (time.Duration, error) {
	client := asynq.NewClient(p.conn)
	defer client.Close()
	if err := client.Ping(); err != nil {
		return 0, err
	}
	payload := bytes.Repeat([]byte("x"), size)
	var next atomic.Int64
	var failed atomic.Pointer[error]
	var wait sync.WaitGroup
	start := time.Now()
	for range goroutines {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for next.Add(1) <= int64(n) {
				if _, err := client.Enqueue(asynq.NewTask("bench:noop", payload), asynq.Queue(queue)); err != nil {
					failed.Store(&err)
					return
				}
			}
		}()
	}
	wait.Wait()
	if err := failed.Load(); err != nil {
		return 0, *err
	}
	return time.Since(start), nil
}

func benchDrain(p peer, queue string, n, concurrency int) (time.Duration, error) {
	server := asynq.NewServer(p.conn, asynq.Config{
		Concurrency: concurrency,
		Queues:      map[string]int{queue: 1},
		LogLevel:    asynq.ErrorLevel,
	})
	var handled atomic.Int64
	done := make(chan struct{})
	start := time.Now()
	if err := server.Start(asynq.HandlerFunc(func(context.Context, *asynq.Task) error {
		if handled.Add(1) == int64(n) {
			close(done)
		}
		return nil
	})); err != nil {
		return 0, err
	}
	<-done
	took := time.Since(start)
	server.Shutdown()
	return took, nil
}
