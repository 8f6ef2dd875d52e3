// Package debugpage shows on a web page what a process is waiting for, beside the pages of net/http/pprof:
//
//	http.Handle("/debug/waits", debugpage.Handler(waiter))
//
// It needs only the standard library. Like those of pprof, the page is for people who run the process: serve it on
// loopback, or behind a login. It shows ids, statuses and the errors of queries, cut and escaped. It does not show
// Task.Raw, headers, bodies, or the users and queries of URLs.
package debugpage

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/internal/text"
)

const (
	// defaultLimit is how many rows the HTML page has: some screens full, and nothing that a browser feels.
	defaultLimit = 100

	// maxLimit is how many rows there can be, and how many text and JSON have by default: 2 MB, about.
	maxLimit = 10_000

	// defaultRefresh is how often the page refreshes itself: about the shortest pause between two polls.
	defaultRefresh = 5 * time.Second
)

// Handler shows the waits of these Waiters. It answers GET and HEAD, under any path, with these parameters:
//
//	format   html, text or json; default html
//	sort     a column: task, kind, status, seen, percent, polls, trouble, next, remaining or age; with "-" before it,
//	         the greatest come first; default -age
//	q        shows only waits with this in their id, kind, status or trouble
//	limit    how many are shown, at most 10,000; default 100 in HTML, else 10,000
//	offset   how many are skipped; default 0
//	refresh  after how many seconds the HTML page refreshes itself; default 5, 0: never
//
// Durations in JSON are in seconds. An unknown value is answered with 400. Handler is safe for concurrent use, and
// delays no wait.
func Handler(waiters ...*taskwait.Waiter) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range map[string]string{
			"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
			"Content-Security-Policy": policy,
		} {
			w.Header().Set(name, value)
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "GET or HEAD", http.StatusMethodNotAllowed)
			return
		}
		q, err := parse(r.URL.Query())
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		var body bytes.Buffer
		p := q.page(waiters, time.Now())
		contentType, err := p.write(&body)
		if err != nil {
			http.Error(w, "the page cannot be made", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", contentType)
		_, _ = w.Write(body.Bytes()) // who asked is gone, if that fails
	})
}

// query is what is asked for.
type query struct {
	Format  string
	Sort    string // name of a column
	Down    bool   // the greatest come first
	Find    string
	Limit   int
	Offset  int
	Refresh int // seconds
}

func parse(v url.Values) (q query, err error) {
	q.Format = cmp.Or(v.Get("format"), "html")
	q.Sort, q.Down = strings.CutPrefix(cmp.Or(v.Get("sort"), "-age"), "-")
	q.Find = v.Get("q")
	q.Limit, q.Refresh = maxLimit, int(defaultRefresh/time.Second)
	switch {
	case q.Format != "html" && q.Format != "text" && q.Format != "json":
		return q, fmt.Errorf("format %s, want html, text or json", text.Quote(q.Format))
	case q.column() == nil:
		return q, fmt.Errorf("sort %s, want one of %s", text.Quote(q.Sort), columnNames())
	case q.Format == "html":
		q.Limit = defaultLimit
	}
	for _, n := range []struct {
		name        string
		value       *int
		least, most int
	}{
		{"limit", &q.Limit, 1, maxLimit},
		{"offset", &q.Offset, 0, 1_000_000_000},
		{"refresh", &q.Refresh, 0, 3600},
	} {
		given := v.Get(n.name)
		if given == "" {
			continue
		}
		if *n.value, err = strconv.Atoi(given); err != nil || *n.value < n.least || *n.value > n.most {
			return q, fmt.Errorf("%s %s, want a number from %d to %d", n.name, text.Quote(given), n.least, n.most)
		}
	}
	return q, nil
}

// page is an answer.
type page struct {
	query   query
	At      time.Time `json:"time"`
	Waits   int       `json:"waits"`   // all there are
	Trouble int       `json:"trouble"` // those of them that are in trouble
	Found   int       `json:"found"`   // those that q finds
	Offset  int       `json:"offset"`
	Rows    []*row    `json:"rows"` // never nil: JSON has [] then
}

// page collects the rows that are asked for. No more are kept than may be shown, however many there are.
func (q query) page(waiters []*taskwait.Waiter, now time.Time) *page {
	p := &page{query: q, At: now.UTC(), Offset: q.Offset, Rows: []*row{}}
	last := q.Offset + q.Limit
	for _, w := range waiters {
		for progress := range w.Waits() {
			r := newRow(&progress, now)
			p.Waits++
			if r.Trouble != "" {
				p.Trouble++
			}
			if !r.has(q.Find) {
				continue
			}
			p.Found++
			if p.Rows = append(p.Rows, r); len(p.Rows) >= 2*last+1000 {
				p.sort()
				p.Rows = p.Rows[:last]
			}
		}
	}
	p.sort()
	p.Rows = p.Rows[min(q.Offset, len(p.Rows)):min(last, len(p.Rows))]
	return p
}

func (p *page) sort() {
	c := p.query.column()
	slices.SortFunc(p.Rows, func(a, b *row) int {
		if p.query.Down {
			a, b = b, a
		}
		return cmp.Or(c.compare(a, b), cmp.Compare(a.Age, b.Age), cmp.Compare(b.Task, a.Task))
	})
}

// write writes the page in the form that was asked for.
func (p *page) write(b *bytes.Buffer) (contentType string, err error) {
	switch p.query.Format {
	case "json":
		return "application/json", json.NewEncoder(b).Encode(p)
	case "text":
		return "text/plain; charset=utf-8", p.writeText(b)
	}
	return "text/html; charset=utf-8", p.writeHTML(b)
}
