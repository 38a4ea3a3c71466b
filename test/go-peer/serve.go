package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/hibiken/asynq"
)

// serve processes tasks until it has seen `-n` of them (0: for ever), its stdin closes or it gets SIGTERM. What a task
// does is in its type: `fail:*` fails, `skip:*` is archived at once, `result:*` writes its payload as its result,
// `hang:*` waits for its cancellation, all others succeed.
func serve(p peer, args []string) error {
	flags := flag.NewFlagSet("serve", flag.ExitOnError)
	queues := flags.String("queues", `{"default":1}`, "JSON of queue name -> priority")
	concurrency := flags.Int("concurrency", 10, "tasks at once")
	n := flags.Int("n", 0, "tasks to process, then end")
	if err := flags.Parse(args); err != nil {
		return err
	}
	config := asynq.Config{Concurrency: *concurrency, LogLevel: asynq.ErrorLevel}
	if err := json.Unmarshal([]byte(*queues), &config.Queues); err != nil {
		return fmt.Errorf("-queues: %w", err)
	}

	seen := make(chan map[string]any)
	server := asynq.NewServer(p.conn, config)
	if err := server.Start(asynq.HandlerFunc(func(ctx context.Context, t *asynq.Task) error {
		err := behave(ctx, t)
		seen <- record(ctx, t, err)
		return err
	})); err != nil {
		return err
	}
	if err := p.out.Encode(map[string]string{"event": "started"}); err != nil {
		return err
	}
	end := endOfInput()
	for count := 0; *n == 0 || count < *n; count++ {
		select {
		case line := <-seen:
			if err := p.out.Encode(line); err != nil {
				return err
			}
		case <-end:
			*n = count + 1
		}
	}
	go func() {
		for range seen {
		}
	}()
	server.Shutdown()
	return nil
}

func behave(ctx context.Context, t *asynq.Task) error {
	kind, _, _ := strings.Cut(t.Type(), ":")
	switch kind {
	case "fail":
		return fmt.Errorf("%s fails", t.Type())
	case "skip":
		return fmt.Errorf("%s is hopeless: %w", t.Type(), asynq.SkipRetry)
	case "result":
		_, err := t.ResultWriter().Write(t.Payload())
		return err
	case "hang":
		<-ctx.Done()
		return ctx.Err()
	default:
		return nil
	}
}

func record(ctx context.Context, t *asynq.Task, err error) map[string]any {
	id, _ := asynq.GetTaskID(ctx)
	queue, _ := asynq.GetQueueName(ctx)
	retried, _ := asynq.GetRetryCount(ctx)
	maxRetry, _ := asynq.GetMaxRetry(ctx)
	line := map[string]any{
		"event": "processed", "id": id, "queue": queue, "retried": retried, "maxRetry": maxRetry,
		"type": t.Type(), "payload": t.Payload(), "headers": t.Headers(),
	}
	if err != nil {
		line["error"] = err.Error()
	}
	return line
}

// endOfInput is closed when the process is asked to end, or whoever started it is gone.
func endOfInput() <-chan struct{} {
	end := make(chan struct{})
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	closed := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(closed)
	}()
	go func() {
		select {
		case <-signals:
		case <-closed:
		}
		close(end)
	}()
	return end
}
