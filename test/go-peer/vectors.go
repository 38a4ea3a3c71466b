package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
)

const vectorQueue = "vectors"

// taskVector is the message of a task as Go wrote it, beside what Go's inspector reads from it.
type taskVector struct {
	Name      string   `json:"name"`
	Msg       string   `json:"msg"`
	UniqueKey string   `json:"uniqueKey"`
	Task      taskView `json:"task"`
}

// vectors lets Go write each kind of message and prints the bytes. It enqueues a table of tasks, has a server fail,
// archive and complete some of them, and looks while one is being worked on.
func vectors(p peer, _ []string) error {
	rdb, ok := p.conn.MakeRedisClient().(redis.UniversalClient)
	if !ok {
		return fmt.Errorf("%T makes no Redis client", p.conn)
	}
	defer rdb.Close()
	client := asynq.NewClient(p.conn)
	defer client.Close()
	inspector := asynq.NewInspector(p.conn)
	defer inspector.Close()
	ctx := context.Background()

	for name, spec := range vectorTable() {
		spec.TaskID, spec.Queue = &name, ptr(vectorQueue)
		if _, err := client.Enqueue(spec.task()); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	server := asynq.NewServer(p.conn, asynq.Config{
		Concurrency: 10, Queues: map[string]int{vectorQueue: 3}, StrictPriority: true, LogLevel: asynq.ErrorLevel,
	})
	if err := server.Start(asynq.HandlerFunc(behave)); err != nil {
		return err
	}
	defer server.Shutdown()

	// The first beat comes before the first task, the second after 5 s.
	var servers []*asynq.ServerInfo
	for len(servers) == 0 || len(servers[0].ActiveWorkers) == 0 {
		time.Sleep(50 * time.Millisecond)
		var err error
		if servers, err = inspector.Servers(); err != nil {
			return err
		}
	}
	info, err := serverVector(ctx, rdb, servers[0])
	if err != nil {
		return err
	}
	tasks := []taskVector{}
	for _, name := range slices.Sorted(maps.Keys(vectorTable())) {
		task, err := readVector(ctx, rdb, inspector, name)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		tasks = append(tasks, task)
	}
	return p.out.Encode(map[string]any{"asynq": "v0.26.0", "tasks": tasks, "server": info})
}

func vectorTable() map[string]taskSpec {
	far := time.Date(2199, 1, 2, 3, 4, 5, 0, time.UTC).Unix()
	table := map[string]taskSpec{
		"scheduled":      {Type: "email:welcome", Payload: []byte(`{"a":1}`)},
		"no payload":     {Type: "t"},
		"empty payload":  {Type: "t", Payload: []byte{}},
		"any bytes":      {Type: "t", Payload: []byte{0, 1, 127, 128, 255, 10}},
		"unicode":        {Type: "imágenes:resize 📷", Payload: []byte(`{"src":"ñ"}`)},
		"header":         {Type: "t", Headers: map[string]string{"k": "v"}},
		"headers":        {Type: "t", Headers: map[string]string{"traceparent": "00-ab", "": "empty", "ñ": ""}},
		"no retry":       {Type: "t", MaxRetry: ptr(0)},
		"negative retry": {Type: "t", MaxRetry: ptr(-3)},
		"timeout":        {Type: "t", TimeoutSeconds: ptr(90.9)},
		"deadline":       {Type: "t", Deadline: ptr(far)},
		"both":           {Type: "t", TimeoutSeconds: ptr(5.0), Deadline: ptr(far)},
		"retention":      {Type: "t", RetentionSeconds: ptr(86400.0)},
		"unique":         {Type: "u", Payload: []byte("x"), UniqueSeconds: ptr(86400.0)},
		"unique nil":     {Type: "u", UniqueSeconds: ptr(86400.0)},
		"unique empty":   {Type: "u", Payload: []byte{}, UniqueSeconds: ptr(86400.0)},
	}
	for name, spec := range table {
		spec.ProcessAt = ptr(far)
		table[name] = spec
	}
	table["group"] = taskSpec{Type: "t", Group: ptr("g: 1")}
	table["retry"] = taskSpec{Type: "fail:twice", Payload: []byte("r")}
	table["archived"] = taskSpec{Type: "skip:it", Headers: map[string]string{"a": "b"}}
	table["completed"] = taskSpec{Type: "result:r", Payload: []byte("done"), RetentionSeconds: ptr(86400.0)}
	table["active"] = taskSpec{Type: "hang:on", Payload: []byte("busy"), TimeoutSeconds: ptr(600.0)}
	return table
}

func readVector(ctx context.Context, rdb redis.UniversalClient, in *asynq.Inspector, name string) (taskVector, error) {
	hash, err := rdb.HGetAll(ctx, fmt.Sprintf("asynq:{%s}:t:%s", vectorQueue, name)).Result()
	if err != nil {
		return taskVector{}, err
	}
	info, err := in.GetTaskInfo(vectorQueue, name)
	if err != nil {
		return taskVector{}, err
	}
	msg := hex.EncodeToString([]byte(hash["msg"]))
	return taskVector{Name: name, Msg: msg, UniqueKey: hash["unique_key"], Task: view(info)}, nil
}

type infoVector struct {
	Server  string            `json:"server"`
	Worker  string            `json:"worker"`
	Decoded *asynq.ServerInfo `json:"decoded"`
}

func serverVector(ctx context.Context, rdb redis.UniversalClient, info *asynq.ServerInfo) (*infoVector, error) {
	id := fmt.Sprintf("{%s:%d:%s}", info.Host, info.PID, info.ID)
	server, err := rdb.Get(ctx, "asynq:servers:"+id).Result()
	if err != nil {
		return nil, err
	}
	workers, err := rdb.HVals(ctx, "asynq:workers:"+id).Result()
	if err != nil {
		return nil, err
	}
	return &infoVector{
		Server:  hex.EncodeToString([]byte(server)),
		Worker:  hex.EncodeToString([]byte(workers[0])),
		Decoded: info,
	}, nil
}

func ptr[T any](v T) *T { return &v }
