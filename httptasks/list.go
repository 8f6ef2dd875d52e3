package httptasks

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/internal/cursor"
	"github.com/taskwait/taskwait/internal/lenient"
)

// mostPages bounds a list that never ends.
const mostPages = 1000

// List requests one page, see [API.List]. Without that the error Is [errors.ErrUnsupported], and nothing is sent. The
// other errors are those of [Source.Task], but it is no error if a job is not in the list. A list that cannot be read
// to its end is an error, of the last page.
func (s *Source) List(ctx context.Context, r taskwait.ListRequest) (tasks []taskwait.Task, next string, err error) {
	switch err := s.Validate(); {
	case err != nil:
		return nil, "", taskwait.Permanent(err)
	case !s.p.hasList():
		return nil, "", taskwait.Permanent(fmt.Errorf("%s: there is no list: %w", s.p.name(), errors.ErrUnsupported))
	}
	at, err := s.p.parsePage(r.Page)
	if err != nil {
		return nil, "", taskwait.Permanent(err)
	}
	whole := s.p.pageURL(at, r.Since)
	a, err := s.get(ctx, s.p, Request{
		Method: http.MethodGet, URL: whole, Permission: s.p.List.Permission, RequestID: s.p.requestID(),
	})
	if err != nil {
		return nil, "", err
	}
	return s.p.readPage(a, at)
}

// page is where in a list to go on.
type page struct {
	offset   cursor.Cursor // of a list with an offset
	requests int           // of other lists
	at       string        // the marker, the number or the URL of the page; empty: the first
}

// parsePage reads what page.String has written; an empty text is the beginning.
func (p *program) parsePage(s string) (at page, err error) {
	if p.List.Offset != "" {
		at.offset, err = cursor.Parse(s)
	} else if s != "" {
		count, rest, _ := strings.Cut(s, " ")
		at.at = rest
		at.requests, err = strconv.Atoi(count)
	}
	if err == nil && at.at != "" && p.nextIsURL() {
		err = p.checkOrigin(at.at)
	}
	if err != nil {
		return at, fmt.Errorf("%s: the page of a list: %w", p.name(), err)
	}
	return at, nil
}

// nextIsURL reports whether an answer says where to go on by a URL.
func (p *program) nextIsURL() bool { return p.List.Next != "" && p.List.Marker == "" }

// pageURL is the URL of a page.
func (p *program) pageURL(at page, since time.Time) string {
	l := p.List
	if at.at != "" && p.nextIsURL() {
		return at.at
	}
	whole := p.expand(l.URL, "", escaped)
	add := func(name, value string) {
		if name == "" || value == "" {
			return
		}
		sign := "?"
		if strings.Contains(whole, "?") {
			sign = "&"
		}
		whole += sign + escaped(name) + "=" + escaped(value)
	}
	if l.Size > 0 {
		add(l.Limit, strconv.Itoa(l.Size))
	}
	if offset := at.offset.Offset(); offset > 0 {
		add(l.Offset, strconv.Itoa(offset))
	}
	add(l.Marker, at.at)
	add(l.Page, at.at)
	if !since.IsZero() {
		add(l.Since, formatTime(since.Add(-lenient.Zones), l.SinceLayout))
	}
	return whole
}

func formatTime(t time.Time, layout string) string {
	switch t = t.UTC(); layout {
	case "":
		return t.Format(time.RFC3339)
	case "unix":
		return strconv.FormatInt(t.Unix(), 10)
	case "unixmilli":
		return strconv.FormatInt(t.UnixMilli(), 10)
	}
	return t.Format(layout)
}

// readPage reads the rows of a page.
func (p *program) readPage(a *reading, at page) (tasks []taskwait.Task, next string, err error) {
	rows := a.top
	if p.places.rows != nil {
		rows = a.at(p.places.rows, nil)
	}
	if !rows.isList() {
		if err := a.refused(); err != nil {
			return nil, "", p.judge(err)
		}
		return nil, "", a.lacks("list")
	}
	rows.decode()
	all := make([]string, len(rows.items))
	for i := range rows.items {
		row := rows.item(i)
		if !row.isObject() {
			continue
		}
		if all[i] = a.at(p.places.id, row).str(); all[i] != "" {
			tasks = append(tasks, p.task(a, row, all[i]))
		}
	}
	next, err = p.after(a, at, all)
	if err != nil {
		return nil, "", err
	}
	return tasks, next, nil
}

// after is where a list goes on after a page with these ids; empty: that was its end.
func (p *program) after(a *reading, at page, all []string) (next string, err error) {
	l := p.List
	if l.Offset != "" {
		next, done, err := at.offset.After(all, a.total(p), l.Size)
		if done || err != nil {
			return "", err
		}
		return next.String(), nil
	}
	switch short := l.Size > 0 && len(all) < l.Size; {
	case l.Next != "":
		next = a.at(p.places.next, nil).str()
	case len(all) == 0 || short:
	case l.Marker != "":
		next = all[len(all)-1]
	case l.Page != "":
		number, _ := strconv.Atoi(at.at)
		next = strconv.Itoa(max(number, l.First) + 1)
		if total := a.total(p); l.Size > 0 && total != cursor.Unknown && (at.requests+1)*l.Size >= total {
			next = ""
		}
	}
	switch {
	case next == "":
		return "", nil
	case next == at.at || at.requests >= mostPages:
		return "", a.failed("the list is incomplete: the service does not go on where it is asked to")
	}
	return strconv.Itoa(at.requests+1) + " " + next, nil
}

// total is the number of rows that the service counts; cursor.Unknown if it does not.
func (a *reading) total(p *program) int {
	n, ok := lenient.Number(a.at(p.places.total, nil).str())
	if !ok || n < 0 || n > math.MaxInt32 {
		return cursor.Unknown
	}
	return int(n)
}
