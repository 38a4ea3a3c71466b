package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"

	"github.com/hibiken/asynq"
)

// enqueue reads one taskSpec a line and prints a taskView, or the error, for each.
func enqueue(p peer, _ []string) error {
	client := asynq.NewClient(p.conn)
	defer client.Close()
	in := json.NewDecoder(os.Stdin)
	for {
		var spec taskSpec
		if err := in.Decode(&spec); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := p.out.Encode(enqueueOne(client, spec)); err != nil {
			return err
		}
	}
}

func enqueueOne(client *asynq.Client, spec taskSpec) any {
	info, err := client.Enqueue(spec.task())
	if err != nil {
		return map[string]string{"error": err.Error(), "kind": errorKind(err)}
	}
	return view(info)
}
