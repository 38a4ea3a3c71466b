package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/hibiken/asynq"
)

// serve processes tasks until it has seen `-n` of them (0: for ever), its stdin closes or it gets SIGTERM. What a task
// does is in its type: `fail:*` fails, `flaky:<n>` fails n times, `skip:*` is archived at once, `revoke:*` is deleted,
// `result:*` writes its payload as its result, `hang:*` waits for its cancellation, all others succeed.
func serve(p peer, args []string) error {
	flags := flag.NewFlagSet("serve", flag.ExitOnError)
	queues := flags.String("queues", `{"default":1}`, "JSON of queue name -> priority")
	concurrency := flags.Int("concurrency", 10, "tasks at once")
	n := flags.Int("n", 0, "tasks to process, then end")
	takes := flags.Duration("takes", 0, "how long each task takes")
	retryDelay := flags.Duration("retry-delay", 0, "until the next attempt; 0: asynq's own")
	forwardEvery := flags.Duration("forward-every", 0, "between two looks for tasks that are due; 0: asynq's own")
	aggregate := flags.Int("aggregate", 0, "tasks of a group made one at most, their payloads joined by commas; 0: groups are left alone")
	if err := flags.Parse(args); err != nil {
		return err
	}
	config := asynq.Config{
		Concurrency: *concurrency, LogLevel: asynq.ErrorLevel, DelayedTaskCheckInterval: *forwardEvery,
	}
	if *retryDelay > 0 {
		config.RetryDelayFunc = func(int, error, *asynq.Task) time.Duration { return *retryDelay }
	}
	if *aggregate > 0 {
		config.GroupGracePeriod, config.GroupMaxSize = time.Second, *aggregate
		config.GroupAggregator = asynq.GroupAggregatorFunc(joined)
	}
	if err := json.Unmarshal([]byte(*queues), &config.Queues); err != nil {
		return fmt.Errorf("-queues: %w", err)
	}

	seen := make(chan map[string]any)
	server := asynq.NewServer(p.conn, config)
	if err := server.Start(asynq.HandlerFunc(func(ctx context.Context, t *asynq.Task) error {
		seen <- record("taken", ctx, t, nil)
		time.Sleep(*takes)
		err := behave(ctx, t)
		seen <- record("processed", ctx, t, err)
		return err
	})); err != nil {
		return err
	}
	if err := p.out.Encode(map[string]string{"event": "started"}); err != nil {
		return err
	}
	end := endOfInput()
	for count, ended := 0, false; !ended && (*n == 0 || count < *n); {
		select {
		case line := <-seen:
			if err := p.out.Encode(line); err != nil {
				return err
			}
			if line["event"] == "processed" {
				count++
			}
		case <-end:
			ended = true
		}
	}
	go func() {
		for range seen {
		}
	}()
	server.Shutdown()
	return nil
}

func joined(_ string, tasks []*asynq.Task) *asynq.Task {
	payloads := make([][]byte, len(tasks))
	for i, task := range tasks {
		payloads[i] = task.Payload()
	}
	return asynq.NewTask("joined", bytes.Join(payloads, []byte(",")))
}

func behave(ctx context.Context, t *asynq.Task) error {
	kind, rest, _ := strings.Cut(t.Type(), ":")
	switch kind {
	case "fail":
		return fmt.Errorf("%s fails", t.Type())
	case "flaky":
		times, _ := strconv.Atoi(rest)
		if retried, _ := asynq.GetRetryCount(ctx); retried < times {
			return fmt.Errorf("%s fails", t.Type())
		}
		return nil
	case "revoke":
		return fmt.Errorf("%s is not wanted: %w", t.Type(), asynq.RevokeTask)
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

func record(event string, ctx context.Context, t *asynq.Task, err error) map[string]any {
	id, _ := asynq.GetTaskID(ctx)
	queue, _ := asynq.GetQueueName(ctx)
	retried, _ := asynq.GetRetryCount(ctx)
	maxRetry, _ := asynq.GetMaxRetry(ctx)
	line := map[string]any{
		"event": event, "id": id, "queue": queue, "retried": retried, "maxRetry": maxRetry,
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
