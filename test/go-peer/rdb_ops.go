package main

import (
	"context"
	"time"

	"github.com/hibiken/asynq/internal/base"
	"github.com/hibiken/asynq/internal/rdb"
)

type brokerOp func(*brokerAt, call) (any, error)

// brokerOps has Go's broker and what its inspector asks of it, by the names of its methods.
var brokerOps = map[string]brokerOp{
	"Enqueue":       onMessage(func(b *brokerAt, c call, m *base.TaskMessage) error { return b.Enqueue(background, m) }),
	"EnqueueUnique": onMessage(func(b *brokerAt, c call, m *base.TaskMessage) error { return b.EnqueueUnique(background, m, c.ttl()) }),
	"Schedule":      onMessage(func(b *brokerAt, c call, m *base.TaskMessage) error { return b.Schedule(background, m, c.at()) }),
	"ScheduleUnique": onMessage(func(b *brokerAt, c call, m *base.TaskMessage) error {
		return b.ScheduleUnique(background, m, c.at(), c.ttl())
	}),
	"AddToGroup": onMessage(func(b *brokerAt, c call, m *base.TaskMessage) error { return b.AddToGroup(background, m, c.Group) }),
	"AddToGroupUnique": onMessage(func(b *brokerAt, c call, m *base.TaskMessage) error {
		return b.AddToGroupUnique(background, m, c.Group, c.ttl())
	}),
	"Done":           onMessage(func(b *brokerAt, c call, m *base.TaskMessage) error { return b.Done(background, m) }),
	"MarkAsComplete": onMessage(func(b *brokerAt, c call, m *base.TaskMessage) error { return b.MarkAsComplete(background, m) }),
	"Requeue":        onMessage(func(b *brokerAt, c call, m *base.TaskMessage) error { return b.Requeue(background, m) }),
	"Archive":        onMessage(func(b *brokerAt, c call, m *base.TaskMessage) error { return b.Archive(background, m, c.Error) }),
	"Retry": onMessage(func(b *brokerAt, c call, m *base.TaskMessage) error {
		return b.Retry(background, m, c.at(), c.Error, c.IsFailure)
	}),
	// Recode reads a message and writes it again.
	"Recode": func(b *brokerAt, c call) (any, error) {
		msg, err := base.DecodeMessage(c.Msg)
		if err != nil {
			return nil, err
		}
		return base.EncodeMessage(msg)
	},
	"Dequeue": func(b *brokerAt, c call) (any, error) {
		msg, lease, err := b.Dequeue(c.Queue)
		if err != nil {
			return nil, err
		}
		encoded, err := base.EncodeMessage(msg)
		return map[string]any{"msg": encoded, "leaseExpiresAt": lease.UnixMilli()}, err
	},
	"ExtendLease": func(b *brokerAt, c call) (any, error) {
		end, err := b.ExtendLease(c.Queue, c.IDs...)
		return end.UnixMilli(), err
	},
	"ListLeaseExpired": func(b *brokerAt, c call) (any, error) {
		msgs, err := b.ListLeaseExpired(c.at(), c.Queue)
		return encodeAll(msgs, err)
	},
	"WriteResult":    func(b *brokerAt, c call) (any, error) { return b.WriteResult(c.Queue, c.ID, c.Data) },
	"ForwardIfReady": func(b *brokerAt, c call) (any, error) { return nil, b.ForwardIfReady(c.Queue) },
	"DeleteExpiredCompletedTasks": func(b *brokerAt, c call) (any, error) {
		return nil, b.DeleteExpiredCompletedTasks(c.Queue, c.Size)
	},

	"ListGroups": func(b *brokerAt, c call) (any, error) { return b.ListGroups(c.Queue) },
	"AggregationCheck": func(b *brokerAt, c call) (any, error) {
		now := time.UnixMilli(c.Now)
		return b.AggregationCheck(c.Queue, c.Group, now, seconds(float64(c.Seconds)), seconds(float64(c.MaxDelay)), c.Size)
	},
	"ReadAggregationSet": func(b *brokerAt, c call) (any, error) {
		msgs, deadline, err := b.ReadAggregationSet(c.Queue, c.Group, c.Set)
		encoded, err := encodeAll(msgs, err)
		return map[string]any{"msgs": encoded, "deadline": deadline.UnixMilli()}, err
	},
	"DeleteAggregationSet": func(b *brokerAt, c call) (any, error) {
		return nil, b.DeleteAggregationSet(background, c.Queue, c.Group, c.Set)
	},
	"ReclaimStaleAggregationSets": func(b *brokerAt, c call) (any, error) {
		return nil, b.ReclaimStaleAggregationSets(c.Queue)
	},

	"CurrentStats":    func(b *brokerAt, c call) (any, error) { return b.CurrentStats(c.Queue) },
	"HistoricalStats": func(b *brokerAt, c call) (any, error) { return b.HistoricalStats(c.Queue, c.Size) },
	"GroupStats":      func(b *brokerAt, c call) (any, error) { return b.GroupStats(c.Queue) },
	"GetTaskInfo": func(b *brokerAt, c call) (any, error) {
		info, err := b.GetTaskInfo(c.Queue, c.ID)
		if err != nil {
			return nil, err
		}
		return infoView(info)
	},
	"ListPending": listing(func(b *brokerAt, c call, p rdb.Pagination) ([]*base.TaskInfo, error) {
		return b.ListPending(c.Queue, p)
	}),
	"ListActive": listing(func(b *brokerAt, c call, p rdb.Pagination) ([]*base.TaskInfo, error) { return b.ListActive(c.Queue, p) }),
	"ListScheduled": listing(func(b *brokerAt, c call, p rdb.Pagination) ([]*base.TaskInfo, error) {
		return b.ListScheduled(c.Queue, p)
	}),
	"ListRetry": listing(func(b *brokerAt, c call, p rdb.Pagination) ([]*base.TaskInfo, error) { return b.ListRetry(c.Queue, p) }),
	"ListArchived": listing(func(b *brokerAt, c call, p rdb.Pagination) ([]*base.TaskInfo, error) {
		return b.ListArchived(c.Queue, p)
	}),
	"ListCompleted": listing(func(b *brokerAt, c call, p rdb.Pagination) ([]*base.TaskInfo, error) {
		return b.ListCompleted(c.Queue, p)
	}),
	"ListAggregating": listing(func(b *brokerAt, c call, p rdb.Pagination) ([]*base.TaskInfo, error) {
		return b.ListAggregating(c.Queue, c.Group, p)
	}),

	"RunTask":     func(b *brokerAt, c call) (any, error) { return nil, b.RunTask(c.Queue, c.ID) },
	"ArchiveTask": func(b *brokerAt, c call) (any, error) { return nil, b.ArchiveTask(c.Queue, c.ID) },
	"DeleteTask":  func(b *brokerAt, c call) (any, error) { return nil, b.DeleteTask(c.Queue, c.ID) },
	"UpdateTaskPayload": func(b *brokerAt, c call) (any, error) {
		return nil, b.UpdateTaskPayload(c.Queue, c.ID, c.Data)
	},
	"RunAllScheduledTasks":       func(b *brokerAt, c call) (any, error) { return b.RunAllScheduledTasks(c.Queue) },
	"RunAllRetryTasks":           func(b *brokerAt, c call) (any, error) { return b.RunAllRetryTasks(c.Queue) },
	"RunAllArchivedTasks":        func(b *brokerAt, c call) (any, error) { return b.RunAllArchivedTasks(c.Queue) },
	"RunAllAggregatingTasks":     func(b *brokerAt, c call) (any, error) { return b.RunAllAggregatingTasks(c.Queue, c.Group) },
	"ArchiveAllPendingTasks":     func(b *brokerAt, c call) (any, error) { return b.ArchiveAllPendingTasks(c.Queue) },
	"ArchiveAllScheduledTasks":   func(b *brokerAt, c call) (any, error) { return b.ArchiveAllScheduledTasks(c.Queue) },
	"ArchiveAllRetryTasks":       func(b *brokerAt, c call) (any, error) { return b.ArchiveAllRetryTasks(c.Queue) },
	"ArchiveAllAggregatingTasks": func(b *brokerAt, c call) (any, error) { return b.ArchiveAllAggregatingTasks(c.Queue, c.Group) },
	"DeleteAllPendingTasks":      func(b *brokerAt, c call) (any, error) { return b.DeleteAllPendingTasks(c.Queue) },
	"DeleteAllScheduledTasks":    func(b *brokerAt, c call) (any, error) { return b.DeleteAllScheduledTasks(c.Queue) },
	"DeleteAllRetryTasks":        func(b *brokerAt, c call) (any, error) { return b.DeleteAllRetryTasks(c.Queue) },
	"DeleteAllArchivedTasks":     func(b *brokerAt, c call) (any, error) { return b.DeleteAllArchivedTasks(c.Queue) },
	"DeleteAllCompletedTasks":    func(b *brokerAt, c call) (any, error) { return b.DeleteAllCompletedTasks(c.Queue) },
	"DeleteAllAggregatingTasks":  func(b *brokerAt, c call) (any, error) { return b.DeleteAllAggregatingTasks(c.Queue, c.Group) },
	"RemoveQueue":                func(b *brokerAt, c call) (any, error) { return nil, b.RemoveQueue(c.Queue, c.Force) },
	"Pause":                      func(b *brokerAt, c call) (any, error) { return nil, b.Pause(c.Queue) },
	"Unpause":                    func(b *brokerAt, c call) (any, error) { return nil, b.Unpause(c.Queue) },
}

var background = context.Background()

func (c call) at() time.Time      { return time.UnixMilli(c.At) }
func (c call) ttl() time.Duration { return time.Duration(c.Seconds) * time.Second }

func onMessage(do func(*brokerAt, call, *base.TaskMessage) error) brokerOp {
	return func(b *brokerAt, c call) (any, error) {
		msg, err := base.DecodeMessage(c.Msg)
		if err != nil {
			return nil, err
		}
		if c.Empty {
			msg.Payload = []byte{}
		}
		return nil, do(b, c, msg)
	}
}

func encodeAll(msgs []*base.TaskMessage, err error) ([][]byte, error) {
	all := [][]byte{}
	for _, msg := range msgs {
		encoded, failed := base.EncodeMessage(msg)
		if failed != nil {
			return nil, failed
		}
		all = append(all, encoded)
	}
	return all, err
}

func listing(do func(*brokerAt, call, rdb.Pagination) ([]*base.TaskInfo, error)) brokerOp {
	return func(b *brokerAt, c call) (any, error) {
		infos, err := do(b, c, rdb.Pagination{Size: c.Size, Page: c.Page})
		views := []map[string]any{}
		for _, info := range infos {
			view, failed := infoView(info)
			if failed != nil {
				return nil, failed
			}
			views = append(views, view)
		}
		return views, err
	}
}

func infoView(info *base.TaskInfo) (map[string]any, error) {
	msg, err := base.EncodeMessage(info.Message)
	return map[string]any{
		"msg": msg, "state": info.State.String(), "nextProcessAt": unix(info.NextProcessAt), "result": info.Result,
	}, err
}
