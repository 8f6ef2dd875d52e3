package kafkatasks

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

var (
	listRuns  = flag.Int("lists", 60, "how many random lists TestListChaos reads")
	listFirst = flag.Uint64("lists.first", 0, "the seed of the first one")
)

// listRefusals are what a page may be answered with instead of rows. An offset that is refused as out of range is not
// among them: where there is no count it ends a list.
var listRefusals = []func() *http.Response{
	func() *http.Response { return refuse(401, `{"error_code":"APIGW.0301","error_msg":"Incorrect."}`) },
	func() *http.Response {
		return refuse(403, `{"error_code":"DMS.00403002","error_msg":"No permission."}`)
	},
	func() *http.Response { return refuse(404, "<html>a proxy's page</html>") },
	func() *http.Response {
		return refuse(404, `{"error_code":"DMS.00404022","error_msg":"No such instance."}`)
	},
	func() *http.Response { return refuse(429, "", "Retry-After", "3") },
	func() *http.Response { return refuse(503, "") },
	func() *http.Response { return refuse(302, "", "Location", "/login") },
	func() *http.Response { return refuse(204, "") },
	func() *http.Response { return refuse(200, "") },
	func() *http.Response { return refuse(200, "null") },
	func() *http.Response { return refuse(200, `{"task_count":"0","tasks":null}`) },
	func() *http.Response { return refuse(200, `{"tasks":{}}`) },
	func() *http.Response { return refuse(200, `{"task_count":"9","tasks":[null,{},7]}`) },
	func() *http.Response { return refuse(200, `{"error_code":"DMS.1","error_msg":"no","tasks":[]}`) },
}

// randomLister is a list whose pages are small, refused, null or moved: rows vanish and others begin while it is read.
// stable has the rows that stay.
func randomLister(rnd *rand.Rand) (l *lister, stable map[string]bool) {
	most, fromOne := 2+rnd.IntN(120), rnd.IntN(3) == 0
	moves := rnd.IntN(2) * rnd.IntN(3)
	l = newLister(rnd.IntN(450), nil)
	stable = map[string]bool{}
	for _, id := range l.ids {
		stable[id] = true
	}
	counts := []func(*lister, int) any{nil, nil, noCount, func(l *lister, _ int) any { return len(l.ids) }}
	if most >= largestPage { // a short page with its own number as the count looks like the whole list
		counts = append(counts, ofThePage)
	}
	l.count = counts[rnd.IntN(len(counts))]
	l.answer = func(l *lister, offset, limit int) []string {
		if len(l.asked) > 1 && moves > 0 && rnd.IntN(3) == 0 {
			moves--
			from := rnd.IntN(len(l.ids) + 1)
			to := min(len(l.ids), from+rnd.IntN(60))
			for _, id := range l.ids[from:to] {
				delete(stable, id)
			}
			l.ids = slices.Delete(slices.Clone(l.ids), from, to)
			for i := range rnd.IntN(40) {
				l.ids = append([]string{fmt.Sprint("new", len(l.asked), "-", i)}, l.ids...)
			}
		}
		if fromOne {
			offset = max(offset, 1) - 1
		}
		return slice(l.ids, offset, min(limit, most))
	}
	if refused := 1 + rnd.IntN(12); rnd.IntN(2) == 0 {
		refusal, times := listRefusals[rnd.IntN(len(listRefusals))], 1+rnd.IntN(2)
		l.refusal = func(request int) *http.Response {
			if request >= refused && request < refused+times {
				return refusal()
			}
			return nil
		}
	}
	return l, stable
}

// TestListChaos reads random lists, at once and page by page: each is complete, or an error. To read a million:
//
//	go test -run TestListChaos ./huawei/kafkatasks -lists 1000000 -timeout 0
func TestListChaos(t *testing.T) {
	t.Parallel()
	outcomes := map[string]int{}
	for seed := *listFirst; seed < *listFirst+uint64(*listRuns); seed++ {
		synctest.Test(t, func(t *testing.T) {
			l, stable := randomLister(rand.New(rand.NewPCG(seed, 5)))
			tasks, _, err := l.source(t).list(t.Context(), time.Time{})
			seen := map[string]bool{}
			for i := range tasks {
				if seen[tasks[i].ID] {
					t.Errorf("seed %d: %s was shown twice", seed, tasks[i].ID)
				}
				seen[tasks[i].ID] = true
			}
			outcomes["at once: "+missingOf(t, seed, stable, seen, err)]++
			l, stable = randomLister(rand.New(rand.NewPCG(seed, 5)))
			paged, err := l.byPages(t)
			outcomes["by pages: "+missingOf(t, seed, stable, paged, err)]++
		})
		if t.Failed() {
			return
		}
	}
	t.Logf("%d lists: %v", *listRuns, outcomes)
}

// missingOf fails the test if a list without an error lacks a row that was there all the time.
func missingOf(t *testing.T, seed uint64, stable, seen map[string]bool, err error) string {
	t.Helper()
	if err != nil {
		return "error"
	}
	for id := range stable {
		if !seen[id] {
			t.Errorf("seed %d: %s is missing from %d rows, without an error", seed, id, len(seen))
			break
		}
	}
	return "complete"
}
