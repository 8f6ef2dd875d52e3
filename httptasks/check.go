package httptasks

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/internal/ids"
	"github.com/taskwait/taskwait/internal/text"
)

// placeholders are those of a URL or a body.
var placeholders = regexp.MustCompile(`\{(\+?)([A-Za-z_][A-Za-z0-9_]*)\}`)

// program is an API that was checked, ready to be used.
type program struct {
	API
	original API
	places   struct {
		task, id, status, kind, percent, remaining, code, reason, created, updated, steps, done place
		rows, total, next                                                                       place
	}
	words   map[string]taskwait.Status // in small letters
	details *program
}

// compile checks an API and prepares it.
func compile(api API) (*program, error) {
	p := &program{API: api, original: api, words: map[string]taskwait.Status{}}
	if api.List == nil {
		p.List = &List{}
	}
	err := errors.Join(p.parsePlaces(), p.parseWords(), p.checkRequests(), p.checkList())
	if err == nil && api.Status == "" && api.Done == "" {
		err = wrong("Status", "is empty, and so is Done")
	}
	if err == nil && api.Details != nil {
		p.details, err = compileDetails(*api.Details, api.Vars)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", cmp.Or(api.Name, "httptasks"), taskwait.ErrInvalidOption, err)
	}
	return p, nil
}

// compileDetails prepares an API of which only the progress counts.
func compileDetails(api API, vars map[string]string) (*program, error) {
	p := &program{API: api, words: map[string]taskwait.Status{}}
	p.Vars, p.List = vars, &List{}
	if err := errors.Join(p.parsePlaces(), p.checkRequests()); err != nil {
		return nil, wrong("Details", err.Error())
	}
	return p, nil
}

func wrong(field, what string) error { return fmt.Errorf("API.%s %s", field, what) }

func (p *program) parsePlaces() (err error) {
	to := &p.places
	for _, f := range []struct {
		name, text string
		to         *place
	}{
		{"Task", p.Task, &to.task},
		{"ID", p.ID, &to.id},
		{"Status", p.Status, &to.status},
		{"Kind", p.Kind, &to.kind},
		{"Percent", p.Percent, &to.percent},
		{"Remaining", p.Remaining, &to.remaining},
		{"Code", p.Code, &to.code},
		{"Reason", p.Reason, &to.reason},
		{"CreatedAt", p.CreatedAt, &to.created},
		{"UpdatedAt", p.UpdatedAt, &to.updated},
		{"Steps", p.Steps, &to.steps},
		{"Done", p.Done, &to.done},
		{"List.Rows", p.List.Rows, &to.rows},
		{"List.Total", p.List.Total, &to.total},
		{"List.Next", p.List.Next, &to.next},
	} {
		var bad error
		if *f.to, bad = parsePlace(f.text); bad != nil {
			err = errors.Join(err, wrong(f.name, bad.Error()))
		}
	}
	return err
}

func (p *program) parseWords() error {
	all := []struct {
		field  string
		status taskwait.Status
		words  []string
	}{
		{"Created", taskwait.StatusCreated, p.Created},
		{"Executing", taskwait.StatusExecuting, p.Executing},
		{"Success", taskwait.StatusSuccess, p.Success},
		{"Failed", taskwait.StatusFailed, p.Failed},
		{"Cancelled", taskwait.StatusCancelled, p.Cancelled},
		{"Deleted", taskwait.StatusDeleted, p.Deleted},
	}
	for _, list := range all {
		for _, word := range list.words {
			key := strings.ToLower(word)
			switch before, twice := p.words[key]; {
			case word == "" || strings.TrimSpace(word) != word:
				return wrong(list.field, fmt.Sprintf("holds %q, want a word", word))
			case twice:
				return wrong(list.field, fmt.Sprintf("holds %q, which is %s already", word, before))
			}
			p.words[key] = list.status
		}
	}
	if len(p.Success) == 0 && p.Done == "" && !p.untilDeleted {
		return wrong("Success", "is empty: no job could succeed")
	}
	return nil
}

// checkRequests checks the URLs and what stands in them.
func (p *program) checkRequests() error {
	for name, value := range p.Vars {
		if why := ids.Check(value); why != "" {
			return wrong("Vars", fmt.Sprintf("%s %s %s", name, text.Quote(value), why))
		}
	}
	all := []struct {
		field, url string
		needed     bool
	}{{"URL", p.URL, true}, {"List.URL", p.List.URL, p.List.URL != "" || p.hasList()}}
	if p.Cancel != nil {
		all = append(all, struct {
			field, url string
			needed     bool
		}{"Cancel.URL", p.Cancel.URL, true})
	}
	for _, u := range all {
		if !u.needed {
			continue
		}
		if why := badURL(u.url); why != "" {
			return wrong(u.field, why)
		}
	}
	if !p.named() && (p.Task == "" || p.ID == "") {
		return wrong("URL", "has no {id}; a list of jobs needs Task and ID")
	}
	return nil
}

func (p *program) hasList() bool { return *p.List != List{} }

// badURL says what is wrong with a URL that has placeholders; empty: nothing.
func badURL(template string) string {
	if template == "" {
		return "is empty"
	}
	filled := placeholders.ReplaceAllString(template, "x")
	u, err := url.Parse(filled)
	switch {
	case err != nil || strings.ContainsAny(filled, "{} "):
		return "cannot be read"
	case u.Host == "" && !strings.HasPrefix(template, "/") && u.Scheme == "":
		return "wants a host, or a / at its beginning"
	case u.User != nil:
		return "has a user in it: want a header"
	case u.Fragment != "":
		return "has a # in it"
	}
	return ""
}

func (p *program) checkList() error {
	if !p.hasList() {
		return nil
	}
	l, ways := p.List, 0
	for _, way := range []string{l.Offset, l.Page, cmp.Or(l.Marker, l.Next)} {
		if way != "" {
			ways++
		}
	}
	switch {
	case p.ID == "":
		return wrong("ID", "is empty: rows of a list need one")
	case ways > 1:
		return wrong("List", "has more than one of Offset, Page, and Marker or Next")
	case l.Size < 0 || (l.Limit != "") != (l.Size > 0):
		return wrong("List.Size", "wants Limit beside it, and to be positive")
	case l.Offset != "" && l.Size == 0:
		return wrong("List.Limit", "is empty: an Offset needs it")
	case l.First != 0 && l.First != 1:
		return wrong("List.First", "is neither 0 nor 1")
	}
	return nil
}

// checkAbsolute returns an error if a URL has no host, or a placeholder without a value.
func (p *program) checkAbsolute() error {
	urls := map[string]string{"URL": p.URL, "List.URL": p.List.URL}
	if p.Cancel != nil {
		urls["Cancel.URL"] = p.Cancel.URL
	}
	if p.details != nil {
		urls["Details.URL"] = p.details.URL
	}
	for field, template := range urls {
		if template == "" {
			continue
		}
		if m := placeholders.FindString(p.expand(template, "x", escaped)); m != "" {
			return p.invalid(wrong(field, "has "+m+", which is not in Vars"))
		}
		u, err := url.Parse(placeholders.ReplaceAllString(template, "x"))
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return p.invalid(wrong(field, "wants http:// or https://, and a host"))
		}
		before, _, _ := strings.Cut(template, "{")
		if strings.Count(before, "/") < 3 && strings.Contains(template, "{") {
			return p.invalid(wrong(field, "wants its host before the first placeholder, and a / after it"))
		}
	}
	return nil
}

func (p *program) invalid(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w: %w", p.name(), taskwait.ErrInvalidOption, err)
}
