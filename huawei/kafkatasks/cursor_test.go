package kafkatasks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
	kafka "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kafka/v2"
	"github.com/taskwait/taskwait"
)

// lister is a list of tasks whose paging is as odd as its answer makes it.
type lister struct {
	ids     []string // the newest first
	answer  func(l *lister, offset, limit int) []string
	count   func(l *lister, rows int) any // nil: of the list
	refusal func(request int) *http.Response
	asked   []*http.Request
}

func (l *lister) RoundTrip(req *http.Request) (*http.Response, error) {
	l.asked = append(l.asked, req)
	if l.refusal != nil {
		if refusal := l.refusal(len(l.asked)); refusal != nil {
			return refusal, nil
		}
	}
	q := req.URL.Query()
	offset, _ := strconv.Atoi(q.Get("offset"))
	limit, _ := strconv.Atoi(q.Get("limit"))
	rows := []map[string]any{}
	for _, id := range l.answer(l, offset, limit) {
		rows = append(rows, map[string]any{"id": id, "status": "EXECUTING"})
	}
	count := any(strconv.Itoa(len(l.ids)))
	if l.count != nil {
		count = l.count(l, len(rows))
	}
	w := httptest.NewRecorder()
	if err := json.NewEncoder(w).Encode(map[string]any{"task_count": count, "tasks": rows}); err != nil {
		return nil, err
	}
	return w.Result(), nil
}

func refuse(status int, body string, headers ...string) *http.Response {
	w := httptest.NewRecorder()
	for i := 0; i < len(headers); i += 2 {
		w.Header().Set(headers[i], headers[i+1])
	}
	w.WriteHeader(status)
	_, _ = w.WriteString(body)
	return w.Result()
}

func slice(ids []string, from, n int) []string {
	from = min(max(from, 0), len(ids))
	return ids[from:min(from+n, len(ids))]
}

func fromZero(l *lister, offset, limit int) []string { return slice(l.ids, offset, limit) }

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

// drop takes the ids at from to to out of the list when a request comes.
func (l *lister) drop(request, from, to int) {
	if len(l.asked) == request {
		l.ids = slices.Delete(slices.Clone(l.ids), from, to)
	}
}

func noCount(*lister, int) any { return nil }

func ofThePage(_ *lister, rows int) any { return rows }

// TestPaging is about services that page in other ways than one would hope for: little of it is documented. A list is
// complete, or it is an error.
func TestPaging(t *testing.T) {
	for _, tt := range []struct {
		name     string
		tasks    int
		answer   func(l *lister, offset, limit int) []string
		count    func(l *lister, rows int) any
		seen     int // -1: an error
		requests int
	}{
		{name: "offset counts from 0", tasks: 250, answer: fromZero, seen: 250, requests: 3},
		{name: "offset counts from 1", tasks: 250, answer: func(l *lister, o, n int) []string {
			return slice(l.ids, max(o, 1)-1, n)
		}, seen: 250, requests: 3},
		{name: "offset counts from 1, a full last page", tasks: 200, answer: func(l *lister, o, n int) []string {
			return slice(l.ids, max(o, 1)-1, n)
		}, seen: 200, requests: 3},
		{name: "a full last page", tasks: 200, answer: fromZero, seen: 200, requests: 3},
		{name: "one full page", tasks: 100, answer: fromZero, seen: 100, requests: 2},
		{name: "no tasks", answer: fromZero, seen: 0, requests: 1},
		{name: "no tasks, and no count", answer: fromZero, count: noCount, seen: 0, requests: 1},
		{
			name: "no rows, and a count", tasks: 7, answer: func(*lister, int, int) []string { return nil }, seen: -1,
			requests: 1,
		},
		{
			name: "one row too few", tasks: 7, answer: func(l *lister, _, _ int) []string { return l.ids[:6] }, seen: -1,
			requests: 2,
		},

		{name: "no count", tasks: 250, answer: fromZero, count: noCount, seen: 250, requests: 4},
		{
			name: "a count that is no number", tasks: 50, answer: fromZero, count: func(*lister, int) any { return "many" },
			seen: 50, requests: 2,
		},
		{
			name: "a count in an object", tasks: 50, answer: fromZero,
			count: func(*lister, int) any { return map[string]int{"n": 50} }, seen: 50, requests: 2,
		},
		{
			name: "a number as the count", tasks: 250, answer: fromZero, count: func(l *lister, _ int) any { return len(l.ids) },
			seen: 250, requests: 3,
		},
		{
			name: "a negative count", tasks: 50, answer: fromZero, count: func(*lister, int) any { return -1 }, seen: 50,
			requests: 2,
		},
		{name: "a count of the page", tasks: 250, answer: fromZero, count: ofThePage, seen: 250, requests: 4},
		{
			name: "a count that is always 1", tasks: 250, answer: fromZero, count: func(*lister, int) any { return 1 },
			seen: 250, requests: 4,
		},

		{name: "fewer rows than asked for", tasks: 250, answer: func(l *lister, o, _ int) []string {
			return slice(l.ids, o, 10)
		}, seen: 250, requests: 28},
		{name: "fewer rows than asked for, and no count", tasks: 45, answer: func(l *lister, o, _ int) []string {
			return slice(l.ids, o, 10)
		}, count: noCount, seen: 45, requests: 6},
		{
			name: "one row a page", tasks: 5, answer: func(l *lister, o, _ int) []string { return slice(l.ids, o, 1) }, seen: -1,
			requests: 2,
		},

		{name: "offset is not honoured", tasks: 250, answer: func(l *lister, _, n int) []string {
			return slice(l.ids, 0, n)
		}, seen: -1, requests: 2},
		{name: "offset is not honoured, 150 tasks", tasks: 150, answer: func(l *lister, _, n int) []string {
			return slice(l.ids, 0, n)
		}, seen: -1, requests: 2},
		{name: "offset is not honoured, and no count", tasks: 250, answer: func(l *lister, _, n int) []string {
			return slice(l.ids, 0, n)
		}, count: noCount, seen: -1, requests: 4},
		{name: "offset counts from 1, two rows a page, and no count", tasks: 9, answer: func(l *lister, o, _ int) []string {
			return slice(l.ids, max(o, 1)-1, 2)
		}, count: noCount, seen: 9, requests: 10},
		{name: "offset counts from 1, and no count", tasks: 250, answer: func(l *lister, o, n int) []string {
			return slice(l.ids, max(o, 1)-1, n)
		}, count: noCount, seen: 250, requests: 4},
		{name: "offset counts pages", tasks: 250, answer: func(l *lister, o, n int) []string {
			return slice(l.ids, o*n, n)
		}, seen: -1, requests: 6},
		{name: "offset counts pages, and no count", tasks: 250, answer: func(l *lister, o, n int) []string {
			return slice(l.ids, o*n, n)
		}, count: noCount, seen: -1, requests: 6},
		{name: "rows are deleted twice, and a count of the page", tasks: 400, answer: func(l *lister, o, n int) []string {
			l.drop(2, 0, 10)
			l.drop(6, 0, 100)
			return slice(l.ids, o, n)
		}, count: ofThePage, seen: 400, requests: 10},
		{name: "it goes round", tasks: 250, answer: func(l *lister, o, n int) []string {
			return slice(l.ids, o%150, n)
		}, seen: -1, requests: 9},

		{name: "tasks begin meanwhile", tasks: 250, answer: func(l *lister, o, n int) []string {
			l.ids = append([]string{fmt.Sprint("new", len(l.asked))}, l.ids...)
			return slice(l.ids, o, n)
		}, seen: 251, requests: 3},
		{name: "many begin meanwhile, and no count", tasks: 250, answer: func(l *lister, o, n int) []string {
			for i := range 30 {
				l.ids = append([]string{fmt.Sprint("new", len(l.asked), "-", i)}, l.ids...)
			}
			return slice(l.ids, o, n)
		}, count: noCount, seen: 280, requests: 5},
		{name: "rows are deleted that were seen", tasks: 250, answer: func(l *lister, o, n int) []string {
			l.drop(2, 20, 70)
			return slice(l.ids, o, n)
		}, seen: 250, requests: 5},
		{name: "the last row is deleted that was seen", tasks: 250, answer: func(l *lister, o, n int) []string {
			l.drop(2, 99, 100)
			return slice(l.ids, o, n)
		}, seen: 250, requests: 5},
		{name: "so many are deleted that nothing follows", tasks: 150, answer: func(l *lister, o, n int) []string {
			l.drop(2, 0, 60)
			return slice(l.ids, o, n)
		}, seen: 150, requests: 3},
		{name: "the rest is deleted", tasks: 250, answer: func(l *lister, o, n int) []string {
			l.drop(2, 100, 250)
			return slice(l.ids, o, n)
		}, seen: 100, requests: 2},
		{name: "some are deleted and others begin", tasks: 250, answer: func(l *lister, o, n int) []string {
			if len(l.asked) == 2 {
				l.ids = slices.Concat([]string{"new1", "new2", "new3"}, l.ids[:10], l.ids[13:])
			}
			return slice(l.ids, o, n)
		}, seen: 250, requests: 3},
		{name: "one is deleted before each page", tasks: 950, answer: func(l *lister, o, n int) []string {
			l.ids = l.ids[1:]
			return slice(l.ids, o, n)
		}, seen: -1, requests: 6},
		{name: "rows without ids", tasks: 150, answer: func(_ *lister, _, n int) []string {
			return make([]string, n)
		}, seen: -1, requests: 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := newLister(tt.tasks, tt.answer)
			l.count = tt.count
			tasks, _, err := l.source(t).list(t.Context(), time.Time{})
			seen := map[string]int{}
			for i := range tasks {
				seen[tasks[i].ID]++
			}
			for id, n := range seen {
				if n != 1 {
					t.Errorf("%s was shown %d times, want once", id, n)
				}
			}
			checkSeen(t, "by list", len(seen), tt.seen, err)
			if len(l.asked) != tt.requests {
				t.Errorf("%d requests, want %d", len(l.asked), tt.requests)
			}
			l = newLister(tt.tasks, tt.answer)
			l.count = tt.count
			paged, err := l.byPages(t)
			checkSeen(t, "page by page", len(paged), tt.seen, err)
		})
	}
}

func checkSeen(t *testing.T, how string, seen, want int, err error) {
	t.Helper()
	var q *taskwait.QueryError
	switch {
	case want < 0:
		if !errors.As(err, &q) || q.Class != taskwait.ClassTransient ||
			!strings.Contains(err.Error(), "the list is incomplete: ") {
			t.Errorf("%s: %d tasks, %v; want an error that says that the list is incomplete", how, seen, err)
		}
	case err != nil || seen != want:
		t.Errorf("%s: %d tasks, %v; want %d", how, seen, err, want)
	}
}

// byPages collects the ids that a pass over the pages shows.
func (l *lister) byPages(t *testing.T) (map[string]bool, error) {
	t.Helper()
	s, seen := l.source(t), map[string]bool{}
	for b := (taskwait.ListRequest{}); ; {
		tasks, next, err := s.List(t.Context(), b)
		if err != nil {
			return seen, err
		}
		for _, task := range tasks {
			seen[task.ID] = true
		}
		if b.Page = next; next == "" {
			return seen, nil
		}
	}
}

// TestPageRefused refuses the second page.
func TestPageRefused(t *testing.T) {
	for _, tt := range []struct {
		name    string
		refusal *http.Response
		class   taskwait.Class
	}{
		{
			"401", refuse(401, `{"error_code":"APIGW.0301","error_msg":"Incorrect IAM authentication information."}`),
			taskwait.ClassPermanent,
		},
		{"403", refuse(403, `{"error_code":"DMS.00403002","error_msg":"No permission."}`), taskwait.ClassPermanent},
		{
			"400", refuse(400, `{"error_code":"DMS.00400062","error_msg":"Invalid request parameter."}`),
			taskwait.ClassPermanent,
		},
		{
			"no such instance", refuse(404, `{"error_code":"DMS.00404022","error_msg":"This instance does not exist."}`),
			taskwait.ClassNotFound,
		},
		{"503", refuse(503, ""), taskwait.ClassTransient},
		{"null", refuse(200, "null"), taskwait.ClassTransient},
		{"no tasks", refuse(200, `{"task_count":"250","tasks":null}`), taskwait.ClassTransient},
		{"tasks are no array", refuse(200, `{"task_count":"250","tasks":{}}`), taskwait.ClassTransient},
		{"a page of a proxy", refuse(200, "<html>"), taskwait.ClassTransient},
		{"a redirect", refuse(302, "", "Location", "/login"), taskwait.ClassTransient},
		{
			"cut off", &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: cutBody{}},
			taskwait.ClassTransient,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := newLister(250, fromZero)
			l.refusal = func(request int) *http.Response {
				if request == 2 {
					return tt.refusal
				}
				return nil
			}
			tasks, err := l.source(t).ListSince(t.Context(), time.Time{})
			var q *taskwait.QueryError
			if !errors.As(err, &q) || q.Class != tt.class || tasks != nil || len(l.asked) != 2 {
				t.Errorf("%d tasks, %v after %d requests; want none, %v, 2", len(tasks), err, len(l.asked), tt.class)
			}
		})
	}
}

type cutBody struct{}

func (cutBody) Read([]byte) (int, error) { return 0, errors.New("connection reset by peer") }
func (cutBody) Close() error             { return nil }

// TestBeyondTheEnd: a refused offset is an end only where nothing else says that there is more.
func TestBeyondTheEnd(t *testing.T) {
	for _, tt := range []struct {
		name  string
		count func(*lister, int) any
		seen  int
	}{
		{"no count", noCount, 100},
		{"a count", func(*lister, int) any { return 250 }, -1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := newLister(100, fromZero)
			l.count = tt.count
			l.refusal = func(int) *http.Response {
				if l.asked[len(l.asked)-1].URL.Query().Has("offset") {
					return refuse(400, `{"error_code":"DMS.40050010","error_msg":"offset out of range"}`)
				}
				return nil
			}
			tasks, err := l.source(t).ListSince(t.Context(), time.Time{})
			checkSeen(t, "by List", len(tasks), tt.seen, err)
		})
	}
}

// TestThrottledInTheMiddle: what was read is kept, and the list goes on there.
func TestThrottledInTheMiddle(t *testing.T) {
	throttle := func(after string) func(int) *http.Response {
		return func(request int) *http.Response {
			if request > 1 && request%2 == 0 {
				return refuse(429, "", "Retry-After", after)
			}
			return nil
		}
	}
	for _, tt := range []struct {
		name     string
		after    string
		timeout  time.Duration // of the context; 0: none
		want     taskwait.Class
		requests int
		least    time.Duration
	}{
		{name: "for a second", after: "1", want: -1, requests: 5, least: 2 * time.Second},
		{name: "for an hour", after: "3600", want: -1, requests: 5, least: 2 * time.Hour},
		{name: "it does not say for how long", want: -1, requests: 5, least: 2 * time.Second},
		{
			name: "for longer than there is time", after: "60", timeout: 30 * time.Second, want: taskwait.ClassThrottled,
			requests: 2,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLister(250, fromZero)
				l.refusal = throttle(tt.after)
				ctx, cancel := t.Context(), context.CancelFunc(func() {})
				if tt.timeout > 0 {
					ctx, cancel = context.WithTimeout(ctx, tt.timeout)
				}
				defer cancel()
				start := time.Now()
				tasks, err := l.source(t).ListSince(ctx, time.Time{})
				took := time.Since(start)
				var q *taskwait.QueryError
				switch {
				case len(l.asked) != tt.requests || took < tt.least || took > tt.least+tt.least/10:
					t.Errorf("%d requests in %v, want %d in %v", len(l.asked), took, tt.requests, tt.least)
				case tt.want < 0 && (err != nil || len(tasks) != 250):
					t.Errorf("%d tasks, %v; want 250", len(tasks), err)
				case tt.want >= 0 && (!errors.As(err, &q) || q.Class != tt.want):
					t.Errorf("%v, want %v", err, tt.want)
				}
			})
		})
	}
}

// TestPreparationGoesOn: the list before an operation is not begun anew with each try, where each try is too short
// for it.
func TestPreparationGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, asked := newLister(550, fromZero), 0
		l.refusal = func(request int) *http.Response {
			if request%2 == 0 {
				return refuse(429, "", "Retry-After", "60")
			}
			return nil
		}
		before := l.source(t).Operation("resize", nil).Before
		for try := 1; ; try++ {
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			a, err := before(ctx)
			cancel()
			if err == nil {
				if asked = len(l.asked); len(a.Seen) != 550 || try != 6 || asked != 11 {
					t.Errorf("%d tasks after %d tries and %d requests, want 550 after 6 and 11", len(a.Seen), try, asked)
				}
				return
			}
			time.Sleep(time.Minute)
		}
	})
}

func TestListRequest(t *testing.T) {
	l := newLister(250, fromZero)
	since := time.Date(2026, 11, 23, 10, 30, 0, 0, time.FixedZone("", 8*3600))
	s := l.source(t)
	_, next, err := s.List(t.Context(), taskwait.ListRequest{Since: since})
	if err == nil {
		_, _, err = s.List(t.Context(), taskwait.ListRequest{Since: since, Page: next})
	}
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range l.asked {
		got = append(got, r.URL.RawQuery)
	}
	want := []string{"begin_time=20261122023000&limit=100", "begin_time=20261122023000&limit=100&offset=99"}
	if !slices.Equal(got, want) {
		t.Errorf("asked for %q, want %q", got, want)
	}
	if _, _, err := l.source(t).List(t.Context(), taskwait.ListRequest{Page: "x"}); err == nil {
		t.Error("got no error for a page that Tasks has not returned")
	}
}
