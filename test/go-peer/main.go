// Go-peer is the other side of a queue: Go's own asynq, driven by the tests and the bench of this repository.
//
//	go-peer [-redis host:port[,host:port...]] [-cluster] [-password p] COMMAND ...
//
// What a command reads and prints is JSON, one value a line; payloads and results are base64. Logs go to stderr.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/hibiken/asynq"
)

// peer is what every command gets.
type peer struct {
	conn asynq.RedisConnOpt
	out  *json.Encoder
}

type command struct {
	usage string
	run   func(peer, []string) error
}

var commands = map[string]command{
	"enqueue":  {"reads tasks from stdin, prints what became of each", enqueue},
	"serve":    {"runs a server, prints each task that it processed", serve},
	"inspect":  {"queue | tasks | task | servers | run | archive | delete | pause | unpause | cancel", inspect},
	"rdb":      {"reads calls of the broker from stdin, prints what each gave", brokerCalls},
	"bench":    {"enqueue | drain: prints tasks, seconds and rate", bench},
	"vectors":  {"prints what Go writes for a table of tasks; needs an empty Redis", vectors},
	"cron":     {"prints when robfig/cron fires for a table of specs", cronVectors},
	"schedule": {"runs a scheduler with the entries of stdin", schedule},
	"entries":  {"prints the entries and events of all schedulers", entries},
}

func main() {
	addrs := flag.String("redis", "127.0.0.1:6379", "addresses, separated by commas")
	cluster := flag.Bool("cluster", false, "the addresses are of a Redis Cluster")
	password := flag.String("password", "", "password of Redis")
	flag.Usage = usage
	flag.Parse()

	cmd, ok := commands[flag.Arg(0)]
	if !ok {
		usage()
		os.Exit(2)
	}
	p := peer{conn: connection(strings.Split(*addrs, ","), *cluster, *password), out: json.NewEncoder(os.Stdout)}
	p.out.SetEscapeHTML(false)
	if err := cmd.run(p, flag.Args()[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "go-peer %s: %v\n", flag.Arg(0), err)
		os.Exit(1)
	}
}

func connection(addrs []string, cluster bool, password string) asynq.RedisConnOpt {
	if cluster {
		return asynq.RedisClusterClientOpt{Addrs: addrs, Password: password}
	}
	return asynq.RedisClientOpt{Addr: addrs[0], Password: password}
}

func usage() {
	fmt.Fprintln(os.Stderr, "usage: go-peer [flags] COMMAND ...")
	for name, cmd := range commands {
		fmt.Fprintf(os.Stderr, "  %-8s %s\n", name, cmd.usage)
	}
	flag.PrintDefaults()
}

// errorKind names the errors that a caller tells apart.
func errorKind(err error) string {
	switch {
	case errors.Is(err, asynq.ErrDuplicateTask):
		return "duplicate"
	case errors.Is(err, asynq.ErrTaskIDConflict):
		return "conflict"
	case errors.Is(err, asynq.ErrTaskNotFound), errors.Is(err, asynq.ErrQueueNotFound):
		return "not found"
	default:
		return "other"
	}
}
