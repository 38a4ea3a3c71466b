package main

import (
	"time"

	"github.com/hibiken/asynq"
)

// taskSpec is a task to enqueue; absent fields are options that are not given.
type taskSpec struct {
	Type             string            `json:"type"`
	Payload          []byte            `json:"payload"`
	Headers          map[string]string `json:"headers"`
	Queue            *string           `json:"queue"`
	TaskID           *string           `json:"taskId"`
	MaxRetry         *int              `json:"maxRetry"`
	TimeoutSeconds   *float64          `json:"timeoutSeconds"`
	Deadline         *int64            `json:"deadline"`
	ProcessAt        *int64            `json:"processAt"`
	ProcessInSeconds *float64          `json:"processInSeconds"`
	UniqueSeconds    *float64          `json:"uniqueSeconds"`
	RetentionSeconds *float64          `json:"retentionSeconds"`
	Group            *string           `json:"group"`
}

func (s taskSpec) task() *asynq.Task {
	return asynq.NewTaskWithHeaders(s.Type, s.Payload, s.Headers, s.options()...)
}

func (s taskSpec) options() (opts []asynq.Option) {
	add := func(given bool, option func() asynq.Option) {
		if given {
			opts = append(opts, option())
		}
	}
	add(s.Queue != nil, func() asynq.Option { return asynq.Queue(*s.Queue) })
	add(s.TaskID != nil, func() asynq.Option { return asynq.TaskID(*s.TaskID) })
	add(s.MaxRetry != nil, func() asynq.Option { return asynq.MaxRetry(*s.MaxRetry) })
	add(s.TimeoutSeconds != nil, func() asynq.Option { return asynq.Timeout(seconds(*s.TimeoutSeconds)) })
	add(s.Deadline != nil, func() asynq.Option { return asynq.Deadline(time.Unix(*s.Deadline, 0)) })
	add(s.ProcessAt != nil, func() asynq.Option { return asynq.ProcessAt(time.Unix(*s.ProcessAt, 0)) })
	add(s.ProcessInSeconds != nil, func() asynq.Option { return asynq.ProcessIn(seconds(*s.ProcessInSeconds)) })
	add(s.UniqueSeconds != nil, func() asynq.Option { return asynq.Unique(seconds(*s.UniqueSeconds)) })
	add(s.RetentionSeconds != nil, func() asynq.Option { return asynq.Retention(seconds(*s.RetentionSeconds)) })
	add(s.Group != nil, func() asynq.Option { return asynq.Group(*s.Group) })
	return opts
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// taskView is what Go's inspector knows of a task. Times are Unix seconds, 0 for none.
type taskView struct {
	ID               string            `json:"id"`
	Queue            string            `json:"queue"`
	Type             string            `json:"type"`
	Payload          []byte            `json:"payload"`
	Headers          map[string]string `json:"headers"`
	State            string            `json:"state"`
	MaxRetry         int               `json:"maxRetry"`
	Retried          int               `json:"retried"`
	LastErr          string            `json:"lastErr"`
	LastFailedAt     int64             `json:"lastFailedAt"`
	TimeoutSeconds   float64           `json:"timeoutSeconds"`
	Deadline         int64             `json:"deadline"`
	Group            string            `json:"group"`
	NextProcessAt    int64             `json:"nextProcessAt"`
	IsOrphaned       bool              `json:"isOrphaned"`
	RetentionSeconds float64           `json:"retentionSeconds"`
	CompletedAt      int64             `json:"completedAt"`
	Result           []byte            `json:"result"`
}

func view(info *asynq.TaskInfo) taskView {
	return taskView{
		ID:               info.ID,
		Queue:            info.Queue,
		Type:             info.Type,
		Payload:          info.Payload,
		Headers:          info.Headers,
		State:            info.State.String(),
		MaxRetry:         info.MaxRetry,
		Retried:          info.Retried,
		LastErr:          info.LastErr,
		LastFailedAt:     unix(info.LastFailedAt),
		TimeoutSeconds:   info.Timeout.Seconds(),
		Deadline:         unix(info.Deadline),
		Group:            info.Group,
		NextProcessAt:    unix(info.NextProcessAt),
		IsOrphaned:       info.IsOrphaned,
		RetentionSeconds: info.Retention.Seconds(),
		CompletedAt:      unix(info.CompletedAt),
		Result:           info.Result,
	}
}

func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}
