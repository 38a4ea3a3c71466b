package main

import (
	"fmt"

	"github.com/hibiken/asynq"
)

// inspect prints what Go's inspector sees, or does one of its operations on a task or a queue.
func inspect(p peer, args []string) error {
	inspector := asynq.NewInspector(p.conn)
	defer inspector.Close()
	what, args := shift(args)
	arg := func(i int) string {
		if i < len(args) {
			return args[i]
		}
		return ""
	}
	queue := arg(0)
	switch what {
	case "queue":
		return p.print(inspector.GetQueueInfo(queue))
	case "queues":
		return p.print(inspector.Queues())
	case "tasks":
		infos, err := list(inspector, queue, arg(1), arg(2))
		views := make([]taskView, 0, len(infos))
		for _, info := range infos {
			views = append(views, view(info))
		}
		return p.print(views, err)
	case "task":
		info, err := inspector.GetTaskInfo(queue, arg(1))
		if err != nil {
			return err
		}
		return p.print(view(info), nil)
	case "servers":
		return p.print(inspector.Servers())
	case "keyslot":
		return p.print(inspector.ClusterKeySlot(queue))
	case "run":
		return inspector.RunTask(queue, arg(1))
	case "archive":
		return inspector.ArchiveTask(queue, arg(1))
	case "delete":
		return inspector.DeleteTask(queue, arg(1))
	case "pause":
		return inspector.PauseQueue(queue)
	case "unpause":
		return inspector.UnpauseQueue(queue)
	case "cancel":
		return inspector.CancelProcessing(queue)
	default:
		return fmt.Errorf("cannot inspect %q", what)
	}
}

func list(in *asynq.Inspector, queue, state, group string) ([]*asynq.TaskInfo, error) {
	all := asynq.PageSize(10_000)
	switch state {
	case "pending":
		return in.ListPendingTasks(queue, all)
	case "active":
		return in.ListActiveTasks(queue, all)
	case "scheduled":
		return in.ListScheduledTasks(queue, all)
	case "retry":
		return in.ListRetryTasks(queue, all)
	case "archived":
		return in.ListArchivedTasks(queue, all)
	case "completed":
		return in.ListCompletedTasks(queue, all)
	case "aggregating":
		return in.ListAggregatingTasks(queue, group, all)
	default:
		return nil, fmt.Errorf("no state is called %q", state)
	}
}

func (p peer) print(value any, err error) error {
	if err != nil {
		return err
	}
	return p.out.Encode(value)
}

func shift(args []string) (string, []string) {
	if len(args) == 0 {
		return "", nil
	}
	return args[0], args[1:]
}
