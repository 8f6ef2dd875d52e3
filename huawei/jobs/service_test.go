package jobs_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/huawei/jobs"
)

func TestServices(t *testing.T) {
	t.Parallel()
	c := client(t, "https://example.com")
	var names, funcs []string
	for _, s := range jobs.Services() {
		names, funcs = append(names, s.Name), append(funcs, s.Func)
		values := slices.Repeat([]string{"i1"}, len(s.Needs()))
		if err := s.Source(c, values...).Validate(); err != nil {
			t.Errorf("%s: %v", s.Name, err)
		}
		if s.Waits == "" || s.Host == "" || !strings.Contains(s.Type, "/v") || !strings.HasSuffix(s.Type, "Response") {
			t.Errorf("%s: it does not say what is waited for, where, or whence: %+v", s.Name, s)
		}
		if strings.Contains(s.API.URL, "{project_id}") == s.Global {
			t.Errorf("%s: Global is %v, and the URL %q", s.Name, s.Global, s.API.URL)
		}
		known := slices.Concat(s.API.Created, s.API.Executing, s.API.Success, s.API.Failed, s.API.Cancelled, s.API.Deleted)
		for _, word := range s.PassedOn {
			if slices.ContainsFunc(known, func(w string) bool { return strings.EqualFold(w, word) }) {
				t.Errorf("%s: %q is in a list, and passed on", s.Name, word)
			}
		}
	}
	for _, all := range [][]string{names, funcs} {
		slices.Sort(all)
		if distinct := slices.Compact(slices.Clone(all)); len(distinct) != len(all) {
			t.Errorf("a name is there twice: %q", all)
		}
	}
}

func TestServiceWithoutItsInstance(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"", "a/b"} {
		err := jobs.RabbitMQ(client(t, "https://example.com"), id).Validate()
		if !errors.Is(err, taskwait.ErrInvalidOption) {
			t.Errorf("the instance id %q: got %v, want an error that Is %v", id, err, taskwait.ErrInvalidOption)
		}
	}
}
