// Package wire reads what an HTTP API says of an error, for the Sources of any client: the code and the words in a
// body, and what can never be sent.
package wire

import (
	"bytes"
	"cmp"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/taskwait/taskwait/internal/text"
)

// StatusText is a status and its words, "404 Not Found".
func StatusText(status int) string {
	if s := http.StatusText(status); s != "" {
		return strconv.Itoa(status) + " " + s
	}
	return "status " + strconv.Itoa(status)
}

// Content is what the body of an error says.
type Content struct {
	Code, Message, RequestID string
	Title                    string // of a page of HTML
	Alone                    bool   // there is nothing else in the body
}

// Words is the content for a text, after a colon; empty: nothing is known.
func (c Content) Words() string {
	switch {
	case c.Message != "":
		return ": " + text.Clip(c.Message)
	case c.Title != "":
		return ": a page, " + text.Quote(c.Title) + ", and no answer of the service"
	}
	return ""
}

// What an error body has in it, in the spellings that services use, the usual one first.
var (
	codeNames = []string{"error_code", "errorCode", "errCode", "code", "__type"}
	// in an object named "error": {"code":404,"status":"NOT_FOUND"}
	nestedNames    = append(slices.Clone(codeNames), "status")
	messageNames   = []string{"error_msg", "error_message", "errorMsg", "errMsg", "message", "msg"}
	requestIDNames = []string{"request_id", "requestId", "RequestId"}
	otherNames     = []string{"encoded_authorization_message", "details", "trace_id"}
	errorNames     = slices.Concat(codeNames, messageNames, requestIDNames, otherNames)
)

// maxCode bounds a code.
const maxCode = 128

// validCode matches a code: a name with a letter in it. A number alone repeats the status, and is no code.
var validCode = regexp.MustCompile(`^[A-Za-z0-9._:/#-]*[A-Za-z][A-Za-z0-9._:/#-]*$`)

func isCode(s string) bool { return len(s) <= maxCode && validCode.MatchString(s) }

func isText(s string) bool { return s != "" }

// Parse reads an error body, an object. What is not at the top may stand some levels down.
func Parse(body []byte, levels int) Content { return parse(body, levels, codeNames) }

func parse(body []byte, levels int, codes []string) Content {
	var object map[string]json.RawMessage
	if json.Unmarshal(body, &object) != nil {
		return Content{}
	}
	c := Content{
		Code: first(object, codes, isCode), Message: first(object, messageNames, isText),
		RequestID: text.Clip(first(object, requestIDNames, isText)), Alone: true,
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if slices.Contains(errorNames, name) {
			continue
		}
		below, codes := Content{}, codeNames
		if name == "error" {
			codes = nestedNames
		}
		if levels > 0 {
			below = parse(object[name], levels-1, codes)
		}
		c.Alone = c.Alone && below.Alone
		if c.Code == "" {
			c.Code, c.Message = below.Code, cmp.Or(below.Message, c.Message)
			c.RequestID = cmp.Or(c.RequestID, below.RequestID)
		}
	}
	return c
}

// first is the first of an object's values by these names that is a text, and good.
func first(object map[string]json.RawMessage, names []string, good func(string) bool) string {
	for _, name := range names {
		var s string
		if json.Unmarshal(object[name], &s) == nil && good(s) {
			return s
		}
	}
	return ""
}

// MentionsCode reports whether a body may have a code in it: most have none, and need not be read twice.
func MentionsCode(body []byte) bool {
	for {
		i := bytes.Index(body, []byte(`ode"`))
		if i < 0 {
			return false
		}
		body = bytes.TrimLeft(body[i+len(`ode"`):], ": \t\r\n")
		if len(body) > 1 && body[0] == '"' && body[1] != '"' {
			return true
		}
	}
}

var titles = regexp.MustCompile(`(?is)<title[^>]*>([^<]{1,200})</title>`)

// Title is the title of a page of HTML; empty: there is none.
func Title(body []byte) string {
	if m := titles.FindSubmatch(body); m != nil {
		return strings.TrimSpace(string(m[1]))
	}
	return ""
}

// Unsendable is the error of what can never be sent.
type Unsendable string

// Error gives the words.
func (u Unsendable) Error() string { return string(u) }

// CheckHeader returns an [Unsendable] if a header cannot be sent, as that of a key that ends in a newline. The value is
// not shown.
func CheckHeader(h http.Header) error {
	for name, values := range h {
		for _, v := range append(values[:len(values):len(values)], name) {
			if strings.ContainsFunc(v, func(c rune) bool { return c != '\t' && unicode.IsControl(c) }) {
				return Unsendable(fmt.Sprintf(
					"the header %q cannot be sent: it holds a line break or another control character", name,
				))
			}
		}
	}
	return nil
}

// IsHopeless reports whether err is about what can never be sent, or never be trusted: an unknown certificate
// authority, a scheme that the other side does not speak, a proxy that lets nothing pass.
func IsHopeless(err error) bool {
	var never Unsendable
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &never), errors.As(err, &certificate), errors.As(err, &record):
		return true
	case errors.Is(err, http.ErrSchemeMismatch):
		return true
	}
	return hopeless.MatchString(err.Error())
}

// hopeless are the words of what has no type: a proxy's refusal to a client with its own transport, of which net/http
// gives no more than the reason, a TLS alert in answer to plain HTTP, and the server's refusal of the client's
// certificate or version.
var hopeless = regexp.MustCompile(`(?i)proxy authentication required$|` +
	`(^|": )(unauthorized|forbidden|method not allowed)$|` +
	`malformed HTTP response "\\x15\\x03|` +
	`remote error: tls: (bad certificate|certificate required|unknown certificate authority|unsupported certificate|` +
	`protocol version not supported)`)
