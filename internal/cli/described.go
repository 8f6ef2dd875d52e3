package cli

import (
	"errors"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/taskwait/taskwait/httptasks"
)

// described are the flags that say where in a JSON answer what stands, and what its words mean.
type described struct {
	api   httptasks.API
	words map[string]*string // with commas between them, by the names of the flags
}

// placesText explains the flags of described.
const placesText = `A place is field names with dots between them, such as metadata.state. A | comes
before an alternative place, for an answer without the first. A number takes an
element of a list, and [name=value] the first element with that value, such as
conditions[type=Done].status.
A word of the status that is in none of the lists is neither success nor
failure: the wait goes on.`

func (d *described) flags(c *cobra.Command) {
	fs := c.Flags()
	for _, f := range []struct {
		name string
		to   *string
		what string
	}{
		{"status", &d.api.Status, "place of the status, such as status or metadata.state"},
		{"done", &d.api.Done, "place of a flag that is true at the end; the task failed if --code or --reason is there"},
		{"task", &d.api.Task, "place of the task, at which the other places begin (default the whole answer)"},
		{"id", &d.api.ID, "place of the id, with which the URL must end"},
		{"kind", &d.api.Kind, "place of the kind of the task, to remember how long it took"},
		{"percent", &d.api.Percent, "place of the percentage that is done"},
		{"remaining", &d.api.Remaining, "place of the seconds that remain"},
		{"code", &d.api.Code, "place of the code of a failure"},
		{"reason", &d.api.Reason, "place of the reason of a failure"},
		{"created-at", &d.api.CreatedAt, "place of the time when the task was created"},
		{"updated-at", &d.api.UpdatedAt, "place of the time when it last changed, or ended"},
	} {
		fs.StringVar(f.to, f.name, "", f.what)
	}
	d.words = map[string]*string{}
	for name, what := range map[string]string{
		"success": "words for a task that succeeded, such as done,succeeded",
		"failure": "words for a task that failed", "cancelled": "words for a task that was cancelled",
		"deleted": "words for a task whose record was deleted", "created": "words for a task that has not begun",
		"executing": "words for a task that runs",
	} {
		d.words[name] = fs.String(name, "", what)
	}
	fs.VisitAll(func(f *pflag.Flag) {
		if f.Value.Type() == "string" && f.Name != "output" {
			if _, has := c.GetFlagCompletionFunc(f.Name); !has {
				complete(c, f.Name, func() []string { return nil })
			}
		}
	})
}

// describe is the API that the flags describe, at a URL.
func (d *described) describe(name, url string) (httptasks.API, error) {
	a := d.api
	a.Name, a.URL = name, url
	for flag, to := range map[string]*[]string{
		"success": &a.Success, "failure": &a.Failed, "cancelled": &a.Cancelled, "deleted": &a.Deleted,
		"created": &a.Created, "executing": &a.Executing,
	} {
		if words := *d.words[flag]; words != "" {
			*to = strings.Split(words, ",")
		}
	}
	switch {
	case a.Status == "" && a.Done == "":
		return a, errors.New("--status is missing: the place of the status in the answer, such as status; or --done")
	case len(a.Success) == 0 && a.Done == "":
		return a, errors.New("--success is missing: the words that say that the task succeeded, such as done,succeeded")
	}
	return a, d.explain(a.Check())
}

// keepIn adds what is given to the arguments of a state.
func (d *described) keepIn(to map[string]string, c *cobra.Command) {
	c.Flags().Visit(func(f *pflag.Flag) {
		if _, place := placeFlags[f.Name]; place || d.words[f.Name] != nil {
			to["--"+f.Name] = f.Value.String()
		}
	})
}

// placeFlags are the fields of an API that flags of other names stand for, and those of the same name.
var placeFlags = map[string]string{
	"status": "Status", "done": "Done", "task": "Task", "id": "ID", "kind": "Kind", "percent": "Percent",
	"remaining": "Remaining", "code": "Code", "reason": "Reason", "created-at": "CreatedAt", "updated-at": "UpdatedAt",
}

var apiField = regexp.MustCompile(`API\.(\w+)`)

// explain is an error about a field of the API as one about the flag.
func (d *described) explain(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	if i := strings.Index(text, "API."); i > 0 {
		text = text[i:]
	}
	text = apiField.ReplaceAllStringFunc(text, func(field string) string {
		name := strings.TrimPrefix(field, "API.")
		for flag, of := range placeFlags {
			if of == name {
				return "--" + flag
			}
		}
		if name == "Failed" {
			return "--failure"
		}
		return "--" + strings.ToLower(name)
	})
	return errors.New(strings.ReplaceAll(text, "\n", "; "))
}
