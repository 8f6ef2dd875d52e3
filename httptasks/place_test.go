package httptasks

import (
	"encoding/json"
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
		r := &reading{status: 202}
		if err := json.Unmarshal([]byte(document), &r.top); err != nil {
			t.Fatal(err)
		}
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
		r := &reading{status: 200}
		if json.Unmarshal([]byte(document), &r.top) != nil {
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
