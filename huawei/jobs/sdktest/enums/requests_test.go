package enums

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/taskwait/taskwait/httptasks"
	"github.com/taskwait/taskwait/huawei/jobs"
)

// request is one of the SDK's definitions of requests.
type request struct {
	method, path, response string
	query                  []string // the names of its parameters
}

var (
	definition = regexp.MustCompile(`(?s)func GenReqDefFor\w+\(\) .*?\n}\n`)
	verb       = regexp.MustCompile(`WithMethod\(http\.Method(\w+)\)`)
	pathOf     = regexp.MustCompile(`WithPath\("([^"]+)"\)`)
	responseOf = regexp.MustCompile(`WithResponse\(new\(model\.(\w+)\)\)`)
	parameter  = regexp.MustCompile(`WithJsonTag\("([^"]+)"\)\.\s*WithLocationType\(def\.Query\)`)
)

// requests are those of a package of the SDK.
func requests(t *testing.T, dir string) (all []request) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_meta.go"))
	if err != nil || len(files) == 0 {
		t.Fatal(dir, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range definition.FindAllString(string(text), -1) {
			r := request{method: strings.ToUpper(first(verb, d)), path: first(pathOf, d), response: first(responseOf, d)}
			for _, m := range parameter.FindAllStringSubmatch(d, -1) {
				r.query = append(r.query, m[1])
			}
			all = append(all, r)
		}
	}
	return all
}

func first(r *regexp.Regexp, text string) string {
	if m := r.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}

// fits reports whether a path of the table is one of the SDK's, in which what is in braces stands for anything.
func fits(ours, sdk string) bool {
	a, b := strings.Split(ours, "/"), strings.Split(sdk, "/")
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] && !strings.HasPrefix(b[i], "{") {
			return false
		}
	}
	return true
}

// find is the SDK's request with a method and a URL of the table, all of whose parameters it knows. Of several the one
// with this response; "": any.
func find(all []request, method, address, response string) *request {
	path, query, _ := strings.Cut(address, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil
	}
	for i := range all {
		r := &all[i]
		if r.method != method || !fits(path, r.path) || response != "" && r.response != response {
			continue
		}
		known := true
		for name := range values {
			known = known && slices.Contains(r.query, name)
		}
		if known {
			return r
		}
	}
	return nil
}

// nowhere are places of the table that the SDK's type does not have, and why they stay.
var nowhere = map[string]string{
	"ddm Reason": "the rows of the service's list have it",
}

// checkPlaces checks that an alternative of each place, or of those that are named, is in one of these types of the
// SDK.
func checkPlaces(t *testing.T, m *models, s *jobs.Service, rows []string, a *httptasks.API, only ...string) {
	t.Helper()
	for name, place := range map[string]string{
		"ID": a.ID, "Status": a.Status, "Kind": a.Kind, "Percent": a.Percent, "Remaining": a.Remaining, "Code": a.Code,
		"Reason": a.Reason, "CreatedAt": a.CreatedAt, "UpdatedAt": a.UpdatedAt, "Steps": a.Steps, "Done": a.Done,
	} {
		if place == "" || only != nil && !slices.Contains(only, name) || nowhere[s.Name+" "+name] != "" {
			continue
		}
		found := false
		for _, row := range rows {
			for p := range strings.SplitSeq(place, "|") {
				_, ok := m.at(row, p)
				found = found || ok
			}
		}
		if !found {
			t.Errorf("%s: %q of the SDK have nothing at %s %q", s.Name, rows, name, place)
		}
	}
}

// rowType is the type at a place of a response; "": there is nothing.
func rowType(m *models, response, place string) string {
	if f, ok := m.fields(response)["body"]; ok && place == "" {
		return f.typ // the answer is a list
	}
	if place == "" {
		return response
	}
	f, ok := m.at(response, place)
	if !ok {
		return ""
	}
	return f.typ
}

// TestRequests: each request of the table is one of the SDK's, with its method, path and parameters, and what the table
// looks for is where the SDK's type has it.
func TestRequests(t *testing.T) {
	root := sdk(t)
	for _, s := range jobs.Services() {
		pkg, response, _ := strings.Cut(s.Type, " ")
		dir := filepath.Join(root, filepath.FromSlash(pkg))
		all := requests(t, dir)
		m := newModels(dir)
		if find(all, http.MethodGet, s.API.URL, response) == nil {
			t.Errorf("%s: the SDK has no GET %s with a %s", s.Name, s.API.URL, response)
		}
		rows := []string{rowType(m, response, s.API.Task)}
		if row := checkList(t, m, &s, all); row != "" {
			checkPlaces(t, m, &s, []string{row}, &s.API, "ID", "Status", "Kind", "CreatedAt", "UpdatedAt")
			rows = append(rows, row)
		}
		checkPlaces(t, m, &s, rows, &s.API)
		if d := s.API.Details; d != nil {
			r := find(all, http.MethodGet, d.URL, "")
			if r == nil {
				t.Errorf("%s: the SDK has no GET %s", s.Name, d.URL)
				continue
			}
			checkPlaces(t, m, &s, []string{rowType(m, r.response, d.Task)}, d, "Percent", "Remaining", "Steps")
		}
		if c := s.API.Cancel; c != nil && find(all, c.Method, c.URL, "") == nil {
			t.Errorf("%s: the SDK has no %s %s", s.Name, c.Method, c.URL)
		}
	}
}

// checkList checks the request for many jobs, and returns the type of its rows; "": there is no such request.
func checkList(t *testing.T, m *models, s *jobs.Service, all []request) (row string) {
	t.Helper()
	l := s.API.List
	if l == nil {
		return ""
	}
	r := find(all, http.MethodGet, l.URL, "")
	if r == nil {
		t.Errorf("%s: the SDK has no GET %s", s.Name, l.URL)
		return ""
	}
	for _, name := range []string{l.Limit, l.Offset, l.Page, l.Marker, l.Since} {
		if name != "" && !slices.Contains(r.query, name) {
			t.Errorf("%s: the list: the SDK's %s has no parameter %q, but %q", s.Name, r.path, name, r.query)
		}
	}
	for _, place := range []string{l.Total, l.Next} {
		if _, ok := m.at(r.response, place); place != "" && !ok {
			t.Errorf("%s: the list: %s has nothing at %q", s.Name, r.response, place)
		}
	}
	if row = rowType(m, r.response, l.Rows); row == "" {
		t.Errorf("%s: the list: %s has nothing at %q", s.Name, r.response, l.Rows)
	}
	return row
}
