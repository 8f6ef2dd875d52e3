package kafkatasks

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/taskwait/taskwait"
)

func taskID(t *taskwait.Task) string { return t.ID }

// cursor is where in a list to go on. The service's parameter for the offset has changed its name, whether it counts from 0
// or 1 is not documented, nor what task_count counts, and the list grows at its head meanwhile. So pages may overlap, repeat
// themselves or be refused; they end when one is short, or begins like the one before or the first.
type cursor struct {
	offset      int    // rows so far; -1: there are no more
	first, last string // the ids that the first page and the last one began with
}

func (c cursor) over() bool { return c.offset < 0 }

// String is the cursor as a [taskwait.Batch] carries it. Ids hold no spaces.
func (c cursor) String() string {
	if c.over() {
		return ""
	}
	return fmt.Sprintf("%d %s %s", c.offset, c.first, c.last)
}

func parseCursor(s string) (cursor, error) {
	if s == "" {
		return cursor{}, nil
	}
	parts := strings.Split(s, " ")
	offset, err := strconv.Atoi(parts[0])
	if err != nil || len(parts) != 3 || offset <= 0 {
		return cursor{}, fmt.Errorf("kafkatasks: page %q, want one that Tasks has returned", s)
	}
	return cursor{offset, parts[1], parts[2]}, nil
}

// after is the cursor after the page at c.
func after[T any](c cursor, page []T, id func(*T) string) cursor {
	if len(page) < largestPage || c.offset >= mostPages*largestPage {
		return cursor{offset: -1}
	}
	head := id(&page[0])
	if head == "" || strings.Contains(head, " ") || head == c.first || head == c.last {
		return cursor{offset: -1}
	}
	next := cursor{c.offset + len(page), c.first, head}
	if c.first == "" {
		next.first = head
	}
	return next
}

// collect fetches page after page until there are no more. Each row is kept once, by its id, as it was seen first.
func collect[T any](id func(*T) string, fetch func(offset int) ([]T, error)) ([]T, error) {
	var all []T
	known := map[string]bool{}
	for at := (cursor{}); !at.over(); {
		rows, err := fetch(at.offset)
		if at.offset > 0 && refusedBeyond(err) {
			break
		}
		if err != nil {
			return nil, err
		}
		for i := range rows {
			if row := &rows[i]; !known[id(row)] {
				known[id(row)] = true
				all = append(all, *row)
			}
		}
		at = after(at, rows, id)
	}
	return all, nil
}

// refusedBeyond reports whether err may be the refusal of an offset past the end, which another list of DMS answers with
// 400 DMS.40050010.
func refusedBeyond(err error) bool {
	var q *taskwait.QueryError
	return errors.As(err, &q) && q.Class == taskwait.ClassPermanent
}
