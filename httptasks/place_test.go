package httptasks

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

const document = `{"a":{"b":"c","n":7,"f":true,"null":null,"empty":"","space":" x "},
	"list":[{"k":"one","v":1},{"k":"two","v":2,"deep":{"w":"x"}},null,"text"],
	"conditions":[{"type":"Complete","status":"False"},{"type":"Failed","status":"True"}],
	"0":"zero","nested":[[{"k":"inner"}]]}`

func TestPlace(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ place, want string }{
		{"a.b", "c"},
		{"a.n", "7"},
		{"a.f", "true"},
		{"a.space", "x"},
		{"a.null", ""},
		{"a.missing", ""},
		{"a.b.c", ""},
		{"a", ""}, // an object is there, but no text
		{"a.null|a.empty|a.b", "c"},
		{"missing.b|0", "zero"},
		{"list.0.k", "one"},
		{"list.1.v", "2"},
		{"list.9.v", ""},
		{"list.2.v", ""},
		{"list.k", "one"},
		{"list.deep.w", "x"},
		{"list[k=two].v", "2"},
		{"list[k=two].deep.w", "x"},
		{"list[v=1].k", "one"},
		{"list[k=three].v", ""},
		{"conditions[status=True].type", "Failed"},
		{"nested.k", ""},
		{"nested.0.k", "inner"},
		{"nested.0.0.k", "inner"},
		{".a.b", "c"},
		{"@status", "202"},
		{"missing|@status", "202"},
	} {
		p, err := parsePlace(tt.place)
		if err != nil {
			t.Errorf("%q: %v", tt.place, err)
			continue
		}
		r := &reading{status: 202, top: parse([]byte(document))}
		if got := r.at(p, nil).str(); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.place, got, tt.want)
		}
	}
	for _, bad := range []string{
		".", "a.", "a..b", "a|", "|a", "a[b", "a[b]", "a[=c]", "a[b=c]d", "a b", "a]", "[", "a=",
	} {
		if p, err := parsePlace(bad); err == nil {
			t.Errorf("%q is %v, want an error", bad, p)
		}
	}
}

// FuzzPlace: no place and no document make a panic, and what is found stands in the document.
func FuzzPlace(f *testing.F) {
	f.Add("a.b|list[k=two].v|@status", document)
	f.Add("list.0.k", `[[[[{}]]]]`)
	f.Add(".x", `{"x":"\ud800"}`)
	f.Fuzz(func(t *testing.T, text, document string) {
		p, err := parsePlace(text)
		if err != nil {
			return
		}
		r := &reading{status: 200, top: parse([]byte(document))}
		if r.top == nil {
			return
		}
		n := r.at(p, nil)
		if n != nil && !json.Valid(n.text) {
			t.Errorf("%q in %q: %q", text, document, n.text)
		}
		if n.str() != "" && n.empty() {
			t.Errorf("%q in %q is empty, and %q", text, document, n.str())
		}
	})
}

// FuzzNode: a value is read as encoding/json reads it.
func FuzzNode(f *testing.F) {
	for _, s := range []string{
		document, `{"a":{"b":[1,"\u00e9\"",true]},"a":null}`, ` [ {} , [ ] ] x`, `"\ud800"`,
		"\"\xff\"", "{\"a\xa7\": 1}", `{"\u0061":1}`, `7,`, `{}}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, document string) {
		if !json.Valid([]byte(document)) {
			parse(bytes.TrimSpace([]byte(document))).str()
			return
		}
		var want any
		d := json.NewDecoder(strings.NewReader(document))
		d.UseNumber()
		if err := d.Decode(&want); err != nil {
			t.Fatal(err)
		}
		got := parse(bytes.TrimSpace([]byte(document)))
		if got == nil {
			t.Fatalf("%q is not read, want %v", document, want)
		}
		same(t, document, got, want)
	})
}

func same(t *testing.T, document string, got *node, want any) {
	t.Helper()
	switch want := want.(type) {
	case map[string]any:
		for name, value := range want {
			if value != nil {
				same(t, document, got.field(name), value)
			} else if n := got.field(name); n != nil {
				t.Errorf("%q: the field %q is %s, want null", document, name, n.text)
			}
		}
	case []any:
		if got.decode(); len(got.items) != len(want) {
			t.Fatalf("%q: %d elements, want %d", document, len(got.items), len(want))
		}
		for i, value := range want {
			if value != nil {
				same(t, document, got.item(i), value)
			}
		}
	case nil:
	default:
		if text := strings.TrimSpace(fmt.Sprint(want)); got.str() != text {
			t.Errorf("%q: got %q, want %q", document, got.str(), text)
		}
	}
}
