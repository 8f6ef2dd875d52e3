package httptasks

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// node is a JSON value, decoded as far as it was looked into. nil: null, or missing.
type node struct {
	text    []byte // valid JSON
	decoded bool
	items   []node   // of a list, or the values of an object
	names   [][]byte // of an object's fields
}

// usualFields is how many fields most objects do not exceed.
const usualFields = 12

// parse is the first JSON value in a text, whatever follows it; nil: there is none.
func parse(body []byte) *node {
	if json.Valid(body) {
		return &node{text: body}
	}
	if text := body[:valueEnd(body)]; json.Valid(text) {
		return &node{text: text}
	}
	return nil
}

// valueEnd is where the JSON value ends that a text begins with. It is right if the value is valid.
func valueEnd(s []byte) int {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			i += stringEnd(s[i:]) - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i
			}
			depth--
		case ',', ':', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return i
			}
			continue
		}
		if depth == 0 && (i+1 >= len(s) || s[i] == '"' || s[i] == '}' || s[i] == ']') {
			return min(i+1, len(s))
		}
	}
	return len(s)
}

// stringEnd is where the JSON string ends that a text begins with.
func stringEnd(s []byte) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(s)
}

// decode looks into an object or a list.
func (n *node) decode() {
	if n == nil || n.decoded {
		return
	}
	n.decoded = true
	if !n.isList() && !n.isObject() {
		return
	}
	if n.isObject() {
		n.items, n.names = make([]node, 0, usualFields), make([][]byte, 0, usualFields)
	}
	rest := bytes.TrimLeft(n.text[1:], " \t\r\n")
	for rest[0] != '}' && rest[0] != ']' {
		if n.isObject() {
			end := stringEnd(rest)
			n.names = append(n.names, rest[:end])
			rest = bytes.TrimLeft(rest[end:], ": \t\r\n")
		}
		end := valueEnd(rest)
		n.items = append(n.items, node{text: rest[:end]})
		rest = bytes.TrimLeft(rest[end:], ", \t\r\n")
	}
}

// field is the value of an object's field, the last one of its name, as encoding/json has it.
func (n *node) field(name string) *node {
	n.decode()
	for i := len(n.names) - 1; i >= 0; i-- {
		if quotes(n.names[i], name) {
			return n.item(i)
		}
	}
	return nil
}

// quotes reports whether a JSON string is this text.
func quotes(text []byte, s string) bool {
	if bytes.IndexByte(text, '\\') < 0 && utf8.Valid(text) {
		return string(text[1:len(text)-1]) == s
	}
	return unquote(text) == s
}

// item is the element of a list, or the value of an object's field, with an index; nil: null, or there is none.
func (n *node) item(i int) *node {
	n.decode()
	if i >= len(n.items) || n.items[i].text[0] == 'n' {
		return nil
	}
	return &n.items[i]
}

func (n *node) isList() bool { return n != nil && n.text[0] == '[' }

func (n *node) isObject() bool { return n != nil && n.text[0] == '{' }

// str is a string, or the text of a number or a flag, without white space around it; empty: of anything else.
func (n *node) str() string {
	switch {
	case n == nil || n.isList() || n.isObject():
		return ""
	case n.text[0] == '"':
		return strings.TrimSpace(unquote(n.text))
	}
	return string(n.text)
}

// unquote is a JSON string as text.
func unquote(text []byte) (s string) {
	if inside := text[1 : len(text)-1]; bytes.IndexByte(inside, '\\') < 0 && utf8.Valid(inside) {
		return string(inside)
	}
	_ = json.Unmarshal(text, &s)
	return s
}

// empty reports whether there is nothing: null, "" or white space.
func (n *node) empty() bool {
	if n == nil || n.text[0] != '"' {
		return n == nil
	}
	inside := bytes.TrimSpace(n.text[1 : len(n.text)-1])
	return len(inside) == 0 || inside[0] == '\\' && n.str() == ""
}
