// Package cursor goes through a list of a service's that is read in pages by an offset.
package cursor

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/taskwait/taskwait"
)

const (
	// mostPages bounds a list that never ends.
	mostPages = 1000

	// mostRestarts bounds how often a list is read anew because its rows have moved.
	mostRestarts = 2

	// Unknown is a total that the service does not tell.
	Unknown = -1
)

// Cursor is where in a list to go on: at the last row that was read, so that each page overlaps the one before by a
// row.
//
// Little is documented of these lists. The parameter for the offset has changed its name, and may count from 0 or 1.
// The count in an answer may be that of the list or of the page. A page may have fewer rows than were asked for, and
// rows come and go between two pages. So a list ends where the count is reached, where no row follows, or with an
// error.
type Cursor struct {
	requests int
	restarts int
	longest  int    // the most rows on a page so far
	offset   int    // to ask for
	last     string // the id of the row there, the last one that was read; empty: at the beginning
	place    int    // of that row in the list, counted from 1; 0: at the beginning
	total    int    // how many rows the service counted at that time; or Unknown
}

// Beginning is the cursor of the first page.
var Beginning = Cursor{total: Unknown}

// Offset is that of the next page, counted from 0.
func (c Cursor) Offset() int { return c.offset }

// Requests is how many pages were read.
func (c Cursor) Requests() int { return c.requests }

// After is the cursor after a page at c, whose rows have these ids; done: that was the end of the list. An id may be
// empty. It returns an error where the list cannot be read to its end.
func (c Cursor) After(ids []string, total, limit int) (next Cursor, done bool, err error) {
	before := -1 // the index of the row that was the last one before
	if c.last != "" {
		if before = lastIndex(ids, func(id string) bool { return id == c.last }); before < 0 {
			return c.lost()
		}
	}
	total, grown := c.believe(total, len(ids), limit), 0
	switch {
	case total == Unknown:
		total = c.total
	case c.total != Unknown:
		grown = max(total-c.total, 0) // rows were added at the head
	}
	last := lastIndex(ids, func(id string) bool { return id != "" })
	begin := c.place + grown - before // the place of the first row
	end := begin + len(ids) - 1
	switch further := last > before; {
	case total != Unknown && end >= total, total == Unknown && len(ids) == 0:
		return c, true, nil
	case total == Unknown && !further && last >= 0:
		return c.stuck(before, len(ids))
	case last < 0 && len(ids) > 0:
		return c, false, incomplete("its rows have no ids")
	case !further && total == c.total || last < 0:
		return c, false, incomplete(fmt.Sprintf("the service counts %d rows, and shows %d of them", total, end))
	case c.requests >= mostPages:
		return c, false, incomplete(fmt.Sprintf("there is no end after %d requests", mostPages))
	}
	longest := max(c.longest, len(ids))
	return Cursor{c.requests + 1, c.restarts, longest, c.offset + last, ids[last], begin + last, total}, false, nil
}

// stuck is the cursor after a page of a list without a count that ends with the row that the page before ended with. If
// the page begins with that row, or is shorter than others, nothing follows. Else the offset may count from 1, or is
// not honoured, or rows were added at the head: what follows may have found no room on the page.
func (c Cursor) stuck(before, rows int) (next Cursor, done bool, err error) {
	switch {
	case before == 0 || rows < c.longest:
		return c, true, nil
	case c.restarts >= mostRestarts:
		return c, false, incomplete("the service does not go on where it is asked to")
	}
	next = c
	next.requests, next.restarts, next.offset = c.requests+1, c.restarts+1, c.offset+before
	return next, false, nil
}

// lost is the cursor after a page without the row that the page before ended with. Rows before it may have been
// deleted, so that the rows that follow have moved up and would be missed: the list is read anew.
func (c Cursor) lost() (next Cursor, done bool, err error) {
	if c.restarts >= mostRestarts {
		return c, false, incomplete(
			"the service moves its rows while they are read, or does not go on where it is asked to",
		)
	}
	return Cursor{requests: c.requests + 1, restarts: c.restarts + 1, total: Unknown}, false, nil
}

// Beyond is the cursor after a refusal of c's offset as past the end. It ends a list without a count, but not at once:
// c's row is there, unless rows were deleted.
func (c Cursor) Beyond() (next Cursor, done bool, err error) {
	if c.total == Unknown && c.restarts > 0 {
		return c, true, nil
	}
	return c.lost()
}

// believe is a count if it can be that of the list: not less than what was shown. That of a full first page may be the
// page's own.
func (c Cursor) believe(total, rows, limit int) int {
	fromOne := min(c.offset, 1) // an offset that counts from 1 shows one row less
	if total < c.offset+rows-fromOne || c.last == "" && total == rows && rows >= limit {
		return Unknown
	}
	return total
}

// incomplete is the error of a list that cannot be read to its end.
func incomplete(why string) error {
	return &taskwait.QueryError{Err: errors.New("the list is incomplete: " + why)}
}

func lastIndex(ids []string, is func(string) bool) int {
	for i := len(ids) - 1; i >= 0; i-- {
		if is(ids[i]) {
			return i
		}
	}
	return -1
}

// String is the cursor as a [taskwait.ListRequest] carries it.
func (c Cursor) String() string {
	return fmt.Sprintf("%d %d %d %d %d %d %s", c.requests, c.restarts, c.longest, c.offset, c.place, c.total,
		url.QueryEscape(c.last))
}

// Parse reads what String has written; an empty text is the beginning.
func Parse(s string) (Cursor, error) {
	if s == "" {
		return Beginning, nil
	}
	c, parts := Cursor{}, strings.Split(s, " ")
	wrong := len(parts) != 7
	for i, n := range []*int{&c.requests, &c.restarts, &c.longest, &c.offset, &c.place, &c.total} {
		if !wrong {
			var err error
			*n, err = strconv.Atoi(parts[i])
			wrong = err != nil || *n < Unknown
		}
	}
	if !wrong {
		var err error
		c.last, err = url.QueryUnescape(parts[6])
		wrong = err != nil
	}
	if wrong || c.requests <= 0 || min(c.offset, c.place, c.restarts, c.longest) < 0 {
		return Cursor{}, fmt.Errorf("page %q, want one that was returned with the page before", s)
	}
	return c, nil
}
