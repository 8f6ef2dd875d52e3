package httptasks_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/httptasks"
)

// pages is a list of jobs 0, 1, 2 and so on, in the ways that services have to page.
type pages struct {
	jobs    int
	asked   []string
	options map[string]bool
}

func (p *pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	p.asked = append(p.asked, r.URL.RequestURI())
	limit, _ := strconv.Atoi(q.Get("limit"))
	from, _ := strconv.Atoi(q.Get("offset"))
	if from > 0 && p.options["from one"] {
		from--
	}
	if number, err := strconv.Atoi(q.Get("page")); err == nil {
		from = number * limit
	}
	if marker, err := strconv.Atoi(q.Get("marker")); err == nil && !p.options["stuck"] {
		from = marker + 1
	}
	to := min(from+limit, p.jobs)
	answer := map[string]any{"jobs": []any{}}
	rows := []any{}
	for i := from; i < to; i++ {
		rows = append(rows, map[string]any{"id": i, "status": "ok"})
	}
	answer["jobs"] = rows
	if p.options["total"] {
		answer["total"] = p.jobs
	}
	if to < p.jobs {
		answer["next_marker"] = to - 1
		answer["nextLink"] = "http://" + r.Host + "/jobs?limit=" + q.Get("limit") + "&marker=" + strconv.Itoa(to-1)
	}
	_ = json.NewEncoder(w).Encode(answer)
}

// TestList reads lists of every length to their end, each in as few requests as its way of paging allows.
func TestList(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		list     httptasks.List
		options  []string
		requests [4]int // for 0, 1, 4 and 10 jobs, four on a page
	}{
		{"an offset and a total", httptasks.List{Offset: "offset", Total: "total"}, []string{"total"}, [4]int{1, 1, 2, 3}},
		{"an offset", httptasks.List{Offset: "offset"}, nil, [4]int{1, 2, 2, 4}},
		{"an offset from one", httptasks.List{Offset: "offset"}, []string{"from one"}, [4]int{1, 2, 2, 5}},
		{"a marker, the last id", httptasks.List{Marker: "marker"}, nil, [4]int{1, 1, 2, 3}},
		{"a marker in the answer", httptasks.List{Marker: "marker", Next: "next_marker"}, nil, [4]int{1, 1, 1, 3}},
		{"a URL in the answer", httptasks.List{Next: "nextLink"}, nil, [4]int{1, 1, 1, 3}},
		{"numbers of pages", httptasks.List{Page: "page"}, nil, [4]int{1, 1, 2, 3}},
		{"numbers of pages and a total", httptasks.List{Page: "page", Total: "total"}, []string{"total"}, [4]int{1, 1, 1, 3}},
	} {
		for i, jobs := range []int{0, 1, 4, 10} {
			p := &pages{jobs: jobs, options: map[string]bool{}}
			for _, o := range tt.options {
				p.options[o] = true
			}
			got, err := readList(t, p, tt.list)
			var want []string
			for j := range jobs {
				want = append(want, strconv.Itoa(j))
			}
			slices.Sort(got)
			slices.Sort(want)
			if got = slices.Compact(got); err != nil || !slices.Equal(got, want) || len(p.asked) != tt.requests[i] {
				t.Errorf("%s, %d jobs: %v after %d requests %v, %v; want %d", tt.name, jobs, got, len(p.asked), p.asked, err,
					tt.requests[i])
			}
		}
	}
}

func readList(t *testing.T, p *pages, l httptasks.List) (got []string, err error) {
	t.Helper()
	s := httptest.NewServer(p)
	defer s.Close()
	l.URL, l.Rows, l.Limit, l.Size = s.URL+"/jobs", "jobs", "limit", 4
	source, err := httptasks.New(s.Client(), httptasks.API{
		URL: s.URL + "/jobs/{id}", ID: "id", Status: "status", Success: []string{"ok"}, List: &l,
	})
	if err != nil {
		t.Fatal(err)
	}
	for page, first := "", true; first || page != ""; first = false {
		tasks, next, err := source.List(t.Context(), taskwait.ListRequest{Page: page})
		if err != nil {
			return got, err
		}
		for _, task := range tasks {
			got = append(got, task.ID)
		}
		page = next
	}
	return got, nil
}

// TestListWithoutEnd: a service that does not go on is an error, not an endless list.
func TestListWithoutEnd(t *testing.T) {
	t.Parallel()
	p := &pages{jobs: 10, options: map[string]bool{"stuck": true}}
	if got, err := readList(t, p, httptasks.List{Marker: "marker"}); err == nil || len(p.asked) > 3 {
		t.Errorf("%v after %d requests, %v; want an error", got, len(p.asked), err)
	}
}

// TestListRequest: the first request, and what is no page.
func TestListRequest(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, time.November, 23, 1, 2, 3, 0, time.UTC)
	for _, tt := range []struct{ layout, want string }{
		{"", "2026-11-22T01%3A02%3A03Z"},
		{"unix", strconv.FormatInt(at.Add(-24*time.Hour).Unix(), 10)},
		{"unixmilli", strconv.FormatInt(at.Add(-24*time.Hour).UnixMilli(), 10)},
		{"20060102150405", "20261122010203"},
	} {
		p := &pages{}
		s := httptest.NewServer(p)
		source, err := httptasks.New(s.Client(), httptasks.API{
			URL: s.URL + "/jobs/{id}", ID: "id", Status: "status", Success: []string{"ok"},
			List: &httptasks.List{
				URL:         s.URL + "/jobs?kind=a",
				Rows:        "jobs",
				Since:       "begin",
				SinceLayout: tt.layout,
				Page:        "page",
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = source.List(t.Context(), taskwait.ListRequest{Since: at})
		if want := "/jobs?kind=a&begin=" + tt.want; err != nil || !slices.Equal(p.asked, []string{want}) {
			t.Errorf("%q: asked for %q, %v; want %s", tt.layout, p.asked, err, want)
		}
		var q *taskwait.QueryError
		if _, _, err := source.List(t.Context(), taskwait.ListRequest{Page: "x"}); !errors.As(err, &q) ||
			q.Class != taskwait.ClassPermanent {
			t.Errorf("a page that is none: %v", err)
		}
		s.Close()
	}
}

// TestRowsOfOthers: rows that are none, or have no id, do no harm.
func TestRowsOfOthers(t *testing.T) {
	t.Parallel()
	body := `{"jobs":[null,7,{"status":"ok"},{"id":"j","status":"ok"}]}`
	tasks, _, err := from(t, listed(), httptasks.Answer{Body: []byte(body)}).List(t.Context(), taskwait.ListRequest{})
	if err != nil || fmt.Sprint(tasks) != `[task "j": SUCCESS, phase ok]` {
		t.Errorf("%v, %v", tasks, err)
	}
}
