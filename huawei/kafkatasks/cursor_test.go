package kafkatasks

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
	kafka "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	"github.com/taskwait/taskwait"
)

// lister is a list of tasks whose paging is as odd as its answer makes it.
type lister struct {
	ids    []string // the newest first
	answer func(l *lister, offset, limit int) []string
	asked  []*http.Request
}

func (l *lister) RoundTrip(req *http.Request) (*http.Response, error) {
	l.asked = append(l.asked, req)
	q := req.URL.Query()
	offset, _ := strconv.Atoi(q.Get("offset"))
	limit, _ := strconv.Atoi(q.Get("limit"))
	rows := []map[string]string{}
	for _, id := range l.answer(l, offset, limit) {
		rows = append(rows, map[string]string{"id": id, "status": "EXECUTING"})
	}
	w := httptest.NewRecorder()
	if err := json.NewEncoder(w).Encode(map[string]any{"task_count": strconv.Itoa(len(l.ids)), "tasks": rows}); err != nil {
		return nil, err
	}
	return w.Result(), nil
}

func slice(ids []string, from, n int) []string {
	from = min(max(from, 0), len(ids))
	return ids[from:min(from+n, len(ids))]
}

func newLister(n int, answer func(l *lister, offset, limit int) []string) *lister {
	l := &lister{answer: answer}
	for i := range n {
		l.ids = append(l.ids, fmt.Sprintf("t%d", n-i))
	}
	return l
}

func (l *lister) source(t *testing.T) *Source {
	t.Helper()
	credential, err := basic.NewCredentialsBuilder().WithAk("ak").WithSk("sk").WithProjectId("p").SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	client, err := kafka.KafkaClientBuilder().WithEndpoint("https://kafka.fake").WithCredential(credential).
		WithHttpConfig(config.DefaultHttpConfig().WithHttpRoundTripper(l)).SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	return New(kafka.NewKafkaClient(client), "kafka-1")
}

// TestPaging is about services that page in other ways than one would hope for: what offset means is not documented.
func TestPaging(t *testing.T) {
	for _, tt := range []struct {
		name      string
		tasks     int
		answer    func(l *lister, offset, limit int) []string
		seen      int
		questions int
	}{
		{"offset counts from 0", 250, func(l *lister, o, n int) []string { return slice(l.ids, o, n) }, 250, 3},
		{"offset counts from 1", 250, func(l *lister, o, n int) []string { return slice(l.ids, max(o, 1)-1, n) }, 250, 3},
		{"a full last page", 200, func(l *lister, o, n int) []string { return slice(l.ids, o, n) }, 200, 3},
		{"no tasks", 0, func(l *lister, o, n int) []string { return slice(l.ids, o, n) }, 0, 1},
		{"offset is not heeded", 250, func(l *lister, _, n int) []string { return slice(l.ids, 0, n) }, 100, 2},
		{"offset counts pages", 250, func(l *lister, o, n int) []string { return slice(l.ids, o*n, n) }, 100, 2},
		{"limit is not heeded", 250, func(l *lister, o, _ int) []string { return slice(l.ids, o, 10) }, 10, 1},
		{"it goes round", 250, func(l *lister, o, n int) []string { return slice(l.ids, o%200, n) }, 200, 3},
		{"tasks begin meanwhile", 250, func(l *lister, o, n int) []string {
			l.ids = append([]string{fmt.Sprint("new", len(l.asked))}, l.ids...)
			return slice(l.ids, o, n)
		}, 251, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := newLister(tt.tasks, tt.answer)
			seen := map[string]int{}
			tasks, _, err := l.source(t).list(t.Context(), time.Time{})
			if err != nil {
				t.Fatal(err)
			}
			for i := range tasks {
				seen[tasks[i].ID]++
			}
			for id, n := range seen {
				if n != 1 {
					t.Errorf("%s was shown %d times, want once", id, n)
				}
			}
			if len(seen) != tt.seen || len(l.asked) != tt.questions {
				t.Errorf("%d tasks with %d requests, want %d with %d", len(seen), len(l.asked), tt.seen, tt.questions)
			}
			if n := countBatch(t, newLister(tt.tasks, tt.answer)); n != tt.seen {
				t.Errorf("%d tasks by batches, want %d", n, tt.seen)
			}
		})
	}
}

// countBatch counts the tasks that a sweep shows.
func countBatch(t *testing.T, l *lister) int {
	t.Helper()
	s, seen := l.source(t), map[string]bool{}
	for b := (taskwait.Batch{}); ; {
		tasks, next, err := s.Tasks(t.Context(), b)
		if err != nil {
			t.Fatal(err)
		}
		for _, task := range tasks {
			seen[task.ID] = true
		}
		if b.Page = next; next == "" {
			return len(seen)
		}
	}
}

func TestListRequest(t *testing.T) {
	l := newLister(250, func(l *lister, o, n int) []string { return slice(l.ids, o, n) })
	since := time.Date(2026, 11, 23, 10, 30, 0, 0, time.FixedZone("", 8*3600))
	s := l.source(t)
	_, next, err := s.Tasks(t.Context(), taskwait.Batch{Since: since})
	if err == nil {
		_, _, err = s.Tasks(t.Context(), taskwait.Batch{Since: since, Page: next})
	}
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range l.asked {
		got = append(got, r.URL.RawQuery)
	}
	want := []string{"begin_time=20261122023000&limit=100", "begin_time=20261122023000&limit=100&offset=100"}
	if !slices.Equal(got, want) {
		t.Errorf("asked for %q, want %q", got, want)
	}
	if _, _, err := l.source(t).Tasks(t.Context(), taskwait.Batch{Page: "x"}); err == nil {
		t.Error("got no error for a page that Tasks has not returned")
	}
}
