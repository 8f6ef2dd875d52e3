package httptasks

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/taskwait/taskwait"
	"github.com/taskwait/taskwait/internal/ids"
	"github.com/taskwait/taskwait/internal/text"
)

// longestID bounds an id that is escaped, or a URL.
const longestID = 4096

// checkID returns an error that Is [taskwait.ErrInvalidID] if an id cannot stand in the API's URL.
func (p *program) checkID(id string) error {
	why := ""
	switch {
	case strings.Contains(p.URL, "{+id}"):
		why = badPath(id)
	case p.relative():
		why = ids.Check(id)
	default:
		why = badID(id)
	}
	if why != "" {
		return fmt.Errorf("%s: %w: id %s %s", p.name(), taskwait.ErrInvalidID, text.Quote(id), why)
	}
	return nil
}

// badID says what is wrong with an id that is escaped; empty: nothing.
func badID(id string) string {
	switch {
	case id == "":
		return "is empty"
	case len(id) > longestID:
		return fmt.Sprintf("has %d bytes, want at most %d", len(id), longestID)
	case id == "." || id == "..":
		return "would walk the path"
	case !utf8.ValidString(id):
		return "is not UTF-8"
	case strings.ContainsFunc(id, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }):
		return "holds white space, or what does not print"
	}
	return ""
}

// badPath says what is wrong with an id that is a path or a URL; empty: nothing.
func badPath(id string) string {
	if why := badID(id); why != "" {
		return why
	}
	u, err := url.Parse(id)
	switch {
	case err != nil:
		return "is neither a path nor a URL"
	case strings.ContainsAny(id, `\#{}`):
		return `holds one of \ # { }`
	}
	for _, segment := range strings.Split(u.Path, "/") {
		if segment == "." || segment == ".." {
			return "would walk the path"
		}
	}
	return ""
}

func (p *program) relative() bool { return strings.HasPrefix(p.URL, "/") }

func (p *program) name() string { return cmp.Or(p.Name, "httptasks") }

// fill is a request for an id, without placeholders but those that have no value.
func (p *program) fill(r Request, id string) (Request, error) {
	var err error
	if r.URL, err = p.expandURL(r.URL, id); err != nil {
		return r, err
	}
	r.Body, r.RequestID = p.expand(r.Body, id, quoted), p.requestID()
	if r.Method == "" {
		r.Method = http.MethodGet
		if r.Body != "" {
			r.Method = http.MethodPost
		}
	}
	return r, nil
}

// requestID is the header for one request.
func (p *program) requestID() Header {
	if p.RequestID == "" {
		return Header{}
	}
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return Header{p.RequestID, fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])}
}

// expandURL is a URL for an id. An id that is a URL itself must be of the API's scheme and host, and so must the whole.
func (p *program) expandURL(template, id string) (string, error) {
	whole := id
	if !strings.Contains(template, "{+id}") || !strings.Contains(id, "://") {
		whole = p.expand(template, id, escaped)
	}
	if p.relative() {
		if !strings.HasPrefix(whole, "/") || strings.HasPrefix(whole, "//") {
			return "", p.elsewhere()
		}
		return whole, nil
	}
	return whole, p.checkOrigin(whole)
}

// checkOrigin returns an error that Is [taskwait.ErrInvalidID] for a URL of another scheme or host than the API's.
func (p *program) checkOrigin(whole string) error {
	ours, err := url.Parse(placeholders.ReplaceAllString(p.URL, "x"))
	theirs, err2 := url.Parse(whole)
	if err != nil || err2 != nil || !sameOrigin(ours, theirs) {
		return p.elsewhere()
	}
	return nil
}

func (p *program) elsewhere() error {
	err := fmt.Errorf("%s: %w: a URL of another scheme or host than the API's", p.name(), taskwait.ErrInvalidID)
	return taskwait.Permanent(err)
}

func sameOrigin(a, b *url.URL) bool {
	return strings.EqualFold(a.Scheme, b.Scheme) && a.Host != "" && strings.EqualFold(a.Host, b.Host) && b.User == nil
}

// expand fills the placeholders of a template that have a value.
func (p *program) expand(template, id string, quote func(string) string) string {
	return placeholders.ReplaceAllStringFunc(template, func(found string) string {
		m := placeholders.FindStringSubmatch(found)
		value, known := p.Vars[m[2]]
		if m[2] == "id" {
			value, known = id, true
		}
		switch {
		case !known:
			return found
		case m[1] == "+":
			return value
		}
		return quote(value)
	})
}

// escaped is a text as it may stand anywhere in a URL.
func escaped(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// quoted is a text as it may stand in a JSON string.
func quoted(s string) string {
	text, err := json.Marshal(s)
	if err != nil {
		return ""
	}
	return string(text[1 : len(text)-1])
}

// Location returns the URL at which an operation can be polled, from the answer to the request that began it. It reads
// the first of the headers Azure-AsyncOperation, Operation-Location and Location that is there, resolved against the
// URL of the request. The URL is an id for an API whose URL has {+id}. An answer without such a header, or with a URL
// of another scheme or host than the request's, is an error.
func Location(resp *http.Response) (id string, err error) {
	if resp == nil || resp.Request == nil || resp.Request.URL == nil {
		return "", errors.New("httptasks: there is no answer to a request")
	}
	for _, name := range []string{"Azure-AsyncOperation", "Operation-Location", "Location"} {
		text := resp.Header.Get(name)
		if text == "" {
			continue
		}
		u, err := resp.Request.URL.Parse(text)
		if err != nil || !sameOrigin(resp.Request.URL, u) {
			return "", fmt.Errorf("httptasks: the header %s has a URL of another scheme or host", name)
		}
		return u.String(), nil
	}
	return "", errors.New("httptasks: the answer has no Operation-Location and no Location")
}
