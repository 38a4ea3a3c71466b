package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/hibiken/asynq"
	"github.com/robfig/cron/v3"
)

// cronVector tells when robfig/cron fires after a time. Times are Unix seconds.
type cronVector struct {
	Location string             `json:"location"`
	After    int64              `json:"after"`
	Times    map[string][]int64 `json:"times"`
}

// Times before changes of clocks, and others, as the zone's own clock shows them.
var cronStarts = map[string][]string{
	"UTC":                 {"2026-11-24 21:43", "2024-02-28 23:59", "2023-12-31 23:30"},
	"America/New_York":    {"2026-03-07 23:10", "2025-10-31 12:00", "2025-11-02 00:45"},
	"Europe/Berlin":       {"2026-03-28 22:00", "2025-10-25 23:15"},
	"Australia/Lord_Howe": {"2025-10-04 22:00", "2026-04-04 22:00"},
	"Asia/Kolkata":        {"2025-06-14 23:59"},
	"America/Sao_Paulo":   {"2018-11-03 10:00", "2018-02-17 20:00"},
	"Asia/Beirut":         {"2024-03-30 10:00", "2024-10-26 20:00"},
	"Pacific/Apia":        {"2026-01-01 00:00"},
	"America/Havana":      {"2024-11-02 22:00", "2024-03-09 22:00"},
}

var cronSpecs = []string{
	"* * * * *", "*/15 * * * *", "7,37 * * * *", "0 * * * *", "30 1 * * *", "30 2 * * *", "0 0 * * *", "15 0 * * *",
	"0 5 * * *", "0 5 * * 1-6", "0 12 * * 0", "0 12 * * SUN", "45 23 * * *", "0 0,12 1 */2 *", "0 0 29 2 *",
	"0 0 31 2 *", "0 0 31 * *", "0 9 13 * FRI", "0 9 13 * *", "0 9 ? * FRI", "0 9 1-7 * MON", "0 9 */10 * MON",
	"0 9 */1 * MON", "5/15 3 * * *", "0 22-23 * * *", "59 23 31 12 *", "*-7 6 * jan-mar,dec ?", "10-50/20 */6 * * *",
	"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly",
	"@every 1s", "@every 90s", "@every 1h30m10.9s", "@every 500ms", "@every -1s", "@every 0",
	"CRON_TZ=America/New_York 30 2 * * *", "TZ=Asia/Tokyo 0 6 * * *", "TZ=Local 0 6 * * *", "TZ= 0 6 * * *",
	"CRON_TZ=Europe/Berlin   @daily ", "TZ=Asia/Kolkata @every 45m", ", * * * *", " 0\t6  * * *\n",
}

var badCronSpecs = []string{
	"", " ", "* * * *", "* * * * * *", "* * * * 7", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * 32 * *", "* * * 13 *",
	"* * * 0 *", "5-1 * * * *", "*/0 * * * *", "1/2/3 * * * *", "1-2-3 * * * *", "a * * * *", "-5 * * * *", "5- * * * *",
	"*/-2 * * * *", "*/x * * * *", "99999999999999999999 * * * *", "9223372036854775807 * * * *", "* * * foo *", "* * L * *",
	"* * * * MON#2", "* * 15W * *", "\"\u00e9\n * * * *", "@reboot", "@every", "@every x", "@every 5d", "@every 1", "@Daily",
	" @daily", "@every  1h", "TZ=Nowhere/City * * * * *", "CRON_TZ=../etc * * * * *", "TZ=UTC * * * *", "1.5 * * * *",
	"+5 * * * * *", "1_0 * * * *", "\u0661 * * * *",
}

// cronVectors prints what robfig/cron makes of a table of specs, each in several zones and from several starts.
func cronVectors(p peer, _ []string) error {
	vectors := []cronVector{}
	for _, zone := range slices.Sorted(maps.Keys(cronStarts)) {
		for _, start := range cronStarts[zone] {
			vector, err := cronTimes(zone, start)
			if err != nil {
				return err
			}
			vectors = append(vectors, vector)
		}
	}
	faults := map[string]string{}
	for _, spec := range badCronSpecs {
		_, err := cron.ParseStandard(spec)
		if err == nil {
			return fmt.Errorf("%q is a good spec", spec)
		}
		faults[spec] = err.Error()
	}
	return p.out.Encode(map[string]any{"robfig/cron": "v3.0.1", "vectors": vectors, "errors": faults})
}

func cronTimes(zone, start string) (cronVector, error) {
	location, err := time.LoadLocation(zone)
	if err != nil {
		return cronVector{}, err
	}
	after, err := time.ParseInLocation("2006-01-02 15:04", start, location)
	if err != nil {
		return cronVector{}, err
	}
	vector := cronVector{Location: zone, After: after.Unix(), Times: map[string][]int64{}}
	for _, spec := range cronSpecs {
		schedule, err := cron.ParseStandard(spec)
		if err != nil {
			return cronVector{}, err
		}
		times := []int64{}
		for at := schedule.Next(after); len(times) < 6 && !at.IsZero(); at = schedule.Next(at) {
			times = append(times, at.Unix())
		}
		vector.Times[spec] = times
	}
	return vector, nil
}

// schedule runs a scheduler with the entries of stdin, one a line, until its stdin closes or it gets SIGTERM.
func schedule(p peer, _ []string) error {
	in := bufio.NewScanner(os.Stdin) // up to an empty line
	scheduler := asynq.NewScheduler(p.conn, &asynq.SchedulerOpts{
		HeartbeatInterval: time.Second, LogLevel: asynq.ErrorLevel,
	})
	for in.Scan() && in.Text() != "" {
		var entry struct {
			Spec string   `json:"spec"`
			Task taskSpec `json:"task"`
		}
		if err := json.Unmarshal(in.Bytes(), &entry); err != nil {
			return err
		}
		task := asynq.NewTask(entry.Task.Type, entry.Task.Payload)
		id, err := scheduler.Register(entry.Spec, task, entry.Task.options()...)
		if err != nil {
			return err
		}
		if err := p.out.Encode(map[string]string{"event": "registered", "id": id}); err != nil {
			return err
		}
	}
	if err := scheduler.Start(); err != nil {
		return err
	}
	if err := p.out.Encode(map[string]string{"event": "started"}); err != nil {
		return err
	}
	<-endOfInput()
	scheduler.Shutdown()
	return nil
}

// entryView is an entry of a scheduler as Go's inspector shows it. Times are Unix seconds, 0 for none.
type entryView struct {
	ID      string      `json:"id"`
	Spec    string      `json:"spec"`
	Type    string      `json:"type"`
	Payload []byte      `json:"payload"`
	Options []string    `json:"options"`
	Next    int64       `json:"next"`
	Prev    int64       `json:"prev"`
	Events  []eventView `json:"events"`
}

type eventView struct {
	TaskID     string `json:"taskId"`
	EnqueuedAt int64  `json:"enqueuedAt"`
}

// entries prints the entries of all schedulers, each with its latest events.
func entries(p peer, _ []string) error {
	inspector := asynq.NewInspector(p.conn)
	defer inspector.Close()
	all, err := inspector.SchedulerEntries()
	if err != nil {
		return err
	}
	for _, entry := range all {
		events, err := inspector.ListSchedulerEnqueueEvents(entry.ID)
		if err != nil {
			return err
		}
		shown := entryView{
			ID: entry.ID, Spec: entry.Spec, Type: entry.Task.Type(), Payload: entry.Task.Payload(),
			Next: unix(entry.Next), Prev: unix(entry.Prev), Options: []string{}, Events: []eventView{},
		}
		for _, opt := range entry.Opts {
			shown.Options = append(shown.Options, opt.String())
		}
		for _, event := range events {
			shown.Events = append(shown.Events, eventView{TaskID: event.TaskID, EnqueuedAt: unix(event.EnqueuedAt)})
		}
		if err := p.out.Encode(shown); err != nil {
			return err
		}
	}
	return nil
}
