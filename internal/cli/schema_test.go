package cli

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/taskwait/taskwait/fakecloud"
)

// lineSchemas are what "taskwait schema" prints, compiled, and that of each event by its name, whose errors say more.
var lineSchemas = sync.OnceValues(func() (whole *jsonschema.Schema, events map[string]*jsonschema.Schema) {
	const name = "output.schema.json"
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(outputSchema))
	if err != nil {
		panic(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource(name, doc); err != nil {
		panic(err)
	}
	events = map[string]*jsonschema.Schema{}
	for event := range doc.(map[string]any)["$defs"].(map[string]any) {
		events[event] = c.MustCompile(name + "#/$defs/" + event)
	}
	return c.MustCompile(name), events
})

var wantsJSON = regexp.MustCompile(`(^| )(-o|--output)[ =]?json( |$)`)

// checkLines checks what a command line has printed, if it wants JSON: each line against the schema, and that no secret
// of a test is in it.
func checkLines(t testing.TB, args []string, stdout string) {
	t.Helper()
	if !wantsJSON.MatchString(strings.Join(args, " ")) {
		return
	}
	for line := range strings.Lines(stdout) {
		if err := checkLine(line); err != nil {
			t.Errorf("%.300q: got the line\n%.2000s%v", args, line, err)
		}
		for _, secret := range []string{"-secret", aSecret, fakecloud.DefaultAccessKey, fakecloud.DefaultSecretKey} {
			if strings.Contains(line, secret) {
				t.Errorf("%.300q: got a secret in the line\n%.2000s", args, line)
			}
		}
	}
}

func checkLine(line string) error {
	e, err := jsonschema.UnmarshalJSON(strings.NewReader(line))
	if err != nil {
		return err
	}
	if len(line) > maxLine || !strings.HasSuffix(line, "\n") {
		return fmt.Errorf("it has %d bytes, want at most %d and an end", len(line), maxLine)
	}
	whole, events := lineSchemas()
	if err := whole.Validate(e); err != nil {
		fields, _ := e.(map[string]any)
		if own := events[fmt.Sprint(fields["event"])]; own != nil {
			err = cmp.Or(own.Validate(e), err)
		}
		return err
	}
	return nil
}

// TestSchema prints it.
func TestSchema(t *testing.T) {
	code, stdout, stderr := newTestEnv(t).run(t.Context(), "schema")
	if code != 0 || stdout != string(outputSchema) || stderr != "" {
		t.Errorf("got code %d, stdout %.200q, stderr %q, want 0, the schema, none", code, stdout, stderr)
	}
}

// TestSchemaRefuses changes a line that is right so that it is wrong.
func TestSchemaRefuses(t *testing.T) {
	const (
		start = `{"event":"start","time":"2026-11-24T12:00:00.5Z","count":2,"tasks":["a","b"]}`
		done  = `{"event":"done","time":"2026-11-24T12:00:00Z","status":"SUCCESS","took":1.25,"outcome":"succeeded"}`
		end   = `{"event":"end","time":"2026-11-24T12:00:00Z","outcomes":{"succeeded":2},"exit_code":0}`
		other = `{"event":"trouble","time":"2026-11-24T12:00:00Z","trouble":"unknown status PARTIAL"}`
	)
	for _, tt := range []struct{ name, line, old, text string }{
		{"no event", start, `"event":"start",`, ``},
		{"no such event", start, `"start"`, `"begin"`},
		{"no time", start, `"time":"2026-11-24T12:00:00.5Z",`, ``},
		{"a time without a zone", start, `.5Z`, ``},
		{"a time that is not UTC", start, `.5Z`, `+01:00`},
		{"a time that is none", start, `24T`, `31T`},
		{"a wrong type", start, `2,`, `"2",`},
		{"a count that is no whole number", start, `2,`, `2.5,`},
		{"a zero that should be missing", start, `2,`, `0,`},
		{"a text that should be missing", start, `["a","b"]`, `["a",""]`},
		{"an empty list", start, `["a","b"]`, `[]`},
		{"an unknown field", start, `"count"`, `"number"`},
		{"params, which may hold a secret", start, `"count":2`, `"params":"password"`},
		{"a field of another event", start, `"count":2`, `"percent":50`},
		{"no outcome", done, `,"outcome":"succeeded"`, ``},
		{"no such outcome", done, `"succeeded"`, `"success"`},
		{"a success that the service has not reported", done, `"SUCCESS"`, `"FAILED"`},
		{"a success without a status", done, `"status":"SUCCESS",`, ``},
		{"a failure that nobody explains", done, `"succeeded"`, `"timed out"`},
		{"a negative duration", done, `1.25`, `-1.25`},
		{"a duration as a text", done, `1.25`, `"1.25s"`},
		{"no exit code", end, `,"exit_code":0`, ``},
		{"no such exit code", end, `"exit_code":0`, `"exit_code":9`},
		{"no such outcome of many", end, `"succeeded"`, `"success"`},
		{"outcomes of none", end, `{"succeeded":2}`, `{}`},
		{"no such trouble", other, `unknown status PARTIAL`, `overload`},
		{"no trouble", other, `,"trouble":"unknown status PARTIAL"`, ``},
	} {
		if err := checkLine(tt.line + "\n"); err != nil {
			t.Errorf("%s: got %v of the line before the change", tt.name, err)
		}
		wrong := strings.Replace(tt.line, tt.old, tt.text, 1)
		if err := checkLine(wrong + "\n"); err == nil || wrong == tt.line {
			t.Errorf("%s: got %s accepted, want an error", tt.name, wrong)
		}
	}
}

// schemaDoc is what the tests read of the schema themselves.
type schemaDoc struct {
	Ref           string `json:"$ref"`
	Description   string
	Enum          []any
	AnyOf         []schemaDoc
	Properties    map[string]schemaDoc
	PropertyNames *schemaDoc
	Defs          map[string]schemaDoc `json:"$defs"`
}

func readSchema(t *testing.T) *schemaDoc {
	t.Helper()
	var d schemaDoc
	if err := json.Unmarshal(outputSchema, &d); err != nil {
		t.Fatal(err)
	}
	return &d
}

// events are the definitions of the events, and of the line in place of one that is too long, by their names.
func (d *schemaDoc) events() map[string]schemaDoc {
	all := map[string]schemaDoc{}
	for _, e := range d.AnyOf {
		name := strings.TrimPrefix(e.Ref, "#/$defs/")
		all[name] = d.Defs[name]
	}
	return all
}

// words are the values of all enums that of has, and of those that it refers to.
func (d *schemaDoc) words(of *schemaDoc) (all []string) {
	for _, v := range of.Enum {
		all = append(all, fmt.Sprint(v))
	}
	for _, o := range of.AnyOf {
		all = append(all, d.words(&o)...)
	}
	if of.Ref != "" {
		def := d.Defs[strings.TrimPrefix(of.Ref, "#/$defs/")]
		all = append(all, d.words(&def)...)
	}
	return all
}

// TestSchemaMet makes sure that the schema has no more than the command prints: each event has each of its fields in
// some line, and each word of an enum is in one.
func TestSchemaMet(t *testing.T) {
	t.Parallel()
	d, want, met := readSchema(t), map[string]bool{}, map[string]bool{}
	for name, e := range d.events() {
		for _, field := range d.words(e.PropertyNames) {
			want[name+"."+field] = true
		}
	}
	for name, p := range d.Properties {
		for _, word := range d.words(&p) {
			want[name+": "+word] = true
		}
	}
	for _, p := range everyLine {
		for line := range strings.Lines(p.print(t)) {
			meet(t, met, line)
		}
	}
	for name := range d.Defs {
		met["$defs/"+name] = bytes.Contains(outputSchema, []byte(`"#/$defs/`+name+`"`))
		want["$defs/"+name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if !met[name] {
			t.Errorf("%s: got no line that has it, want one", name)
		}
	}
}

// meet notes what a line has.
func meet(t *testing.T, met map[string]bool, line string) {
	t.Helper()
	var e map[string]any
	if err := json.Unmarshal([]byte(line), &e); err != nil {
		t.Fatal(err)
	}
	if err := checkLine(line); err != nil {
		t.Errorf("%s%v", line, err)
	}
	event := fmt.Sprint(e["event"])
	if strings.HasPrefix(fmt.Sprint(e["message"]), "part of this event is missing: ") {
		event = "cut"
	}
	for field, value := range e {
		met[event+"."+field] = true
		met[field+": "+fmt.Sprint(value)] = true
	}
}
