// Package enums holds the words of the table against the members of the SDK's enums, which it reads from the SDK's
// source: nothing of the SDK is compiled for it.
package enums

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/taskwait/taskwait/huawei/jobs"
)

// sdk is the directory of the SDK's services.
func sdk(t *testing.T) string {
	t.Helper()
	const module = "github.com/huaweicloud/huaweicloud-sdk-go-v3"
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(strings.TrimSpace(string(out)), "services")
}

// models are the types of one model package of the SDK, read as they are needed.
type models struct {
	dir   string
	files map[string]*ast.File
}

// newModels reads those of a package of the SDK in dir.
func newModels(dir string) *models {
	return &models{dir: filepath.Join(dir, "model"), files: map[string]*ast.File{}}
}

// capital is where a word begins in the name of a type.
var capital = regexp.MustCompile(`([a-z0-9])([A-Z])|([A-Z])([A-Z][a-z])`)

// file is the source of a type: model_show_job_response.go of ShowJobResponse, and of what belongs to it.
func (m *models) file(name string) *ast.File {
	base := strings.ToLower(capital.ReplaceAllString(name, "${1}${3}_${2}${4}"))
	if f, ok := m.files[base]; ok {
		return f
	}
	path := filepath.Join(m.dir, "model_"+base+".go")
	f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
	if err != nil {
		f = nil
	}
	m.files[base] = f
	return f
}

// field is one of a struct.
type field struct {
	typ string // its name, without pointers and slices
	doc string
}

// fields are those of a type by their names in JSON.
func (m *models) fields(name string) map[string]field {
	f := m.file(name)
	if f == nil {
		return nil
	}
	all := map[string]field{}
	ast.Inspect(f, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok || spec.Name.Name != name {
			return true
		}
		s, ok := spec.Type.(*ast.StructType)
		if !ok {
			return false
		}
		for _, one := range s.Fields.List {
			if one.Tag == nil {
				continue
			}
			tag, _ := strconv.Unquote(one.Tag.Value)
			key, _, _ := strings.Cut(reflect.StructTag(tag).Get("json"), ",")
			all[key] = field{typeName(one.Type), one.Doc.Text()}
		}
		return false
	})
	return all
}

func typeName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return typeName(e.X)
	case *ast.ArrayType:
		return typeName(e.Elt)
	case *ast.Ident:
		return e.Name
	case *ast.InterfaceType:
		return anything
	}
	return ""
}

// anything is the type of a field that the SDK leaves open.
const anything = "any"

// at is the field at a dotted place of a type.
func (m *models) at(name, place string) (found field, ok bool) {
	for part := range strings.SplitSeq(place, ".") {
		if _, err := strconv.Atoi(part); err == nil {
			continue // of a list
		}
		if name == anything {
			return field{typ: anything}, true
		}
		if found, ok = m.fields(name)[part]; !ok {
			return field{}, false
		}
		name = found.typ
	}
	return found, true
}

// enum are the members of an enum; nil: the type is none. The SDK has a function GetXEnum for each, which sets them.
func (m *models) enum(owner, name string) (members []string) {
	f := m.file(owner)
	if f == nil {
		return nil
	}
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Name.Name != "Get"+name+"Enum" {
			continue
		}
		ast.Inspect(fn, func(n ast.Node) bool {
			kv, ok := n.(*ast.KeyValueExpr)
			if !ok {
				return true
			}
			value, ok := kv.Value.(*ast.BasicLit)
			if key, named := kv.Key.(*ast.Ident); ok && named && key.Name == "value" && value.Kind == token.STRING {
				text, _ := strconv.Unquote(value.Value)
				members = append(members, text)
			}
			return true
		})
	}
	return members
}

// status is a place in an answer where a word of the table stands.
type status struct {
	owner, place string // the type in whose file the enum is, and where the status is in it
}

// statuses are the places of a service's words: of the job, of its steps, of the rows of its list.
func statuses(m *models, s *jobs.Service, response string) (all []status) {
	a := &s.API
	owner := response
	if a.Task != "" {
		f, ok := m.at(response, a.Task)
		if !ok {
			return nil
		}
		owner = f.typ
	}
	for place := range strings.SplitSeq(a.Status, "|") {
		all = append(all, status{owner, place})
		for steps := range strings.SplitSeq(a.Steps, "|") {
			if f, ok := m.at(owner, steps); ok {
				all = append(all, status{f.typ, place})
			}
		}
	}
	return all
}

// TestEnums walks every enum of the SDK at the places of the table's statuses: each member is in a list of the table,
// or among the words that the table names as passed on.
func TestEnums(t *testing.T) {
	root := sdk(t)
	enums, members := 0, 0
	for _, s := range jobs.Services() {
		pkg, response, ok := strings.Cut(s.Type, " ")
		if !ok {
			t.Errorf("%s: Type is %q, want a package and a type", s.Name, s.Type)
			continue
		}
		m := newModels(filepath.Join(root, filepath.FromSlash(pkg)))
		places := statuses(m, &s, response)
		found := false
		for _, at := range places {
			owner, f, ok := m.holder(at)
			if !ok {
				continue
			}
			found = true
			all := m.enum(owner, f.typ)
			if all != nil {
				enums++
			}
			for _, word := range all {
				if members++; !known(&s, word) {
					t.Errorf("%s: %s has the member %q, which is in no list, and is not named as passed on", s.Name, f.typ, word)
				}
			}
		}
		if !found {
			t.Errorf("%s: no status at %q of %s, want one", s.Name, s.API.Status, s.Type)
		}
	}
	t.Logf("%d enums with %d members", enums, members)
	if enums < 20 {
		t.Errorf("got %d enums, want those of some 20 services: is the SDK read as it should be?", enums)
	}
}

// holder is the field at a status's place, and the type in whose file its own type is.
func (m *models) holder(at status) (owner string, f field, ok bool) {
	owner = at.owner
	parts := strings.Split(at.place, ".")
	for i, part := range parts {
		if _, err := strconv.Atoi(part); err == nil {
			continue
		}
		if f, ok = m.fields(owner)[part]; !ok {
			return "", field{}, false
		}
		if i < len(parts)-1 {
			owner = f.typ
		}
	}
	return owner, f, true
}

// known reports whether the table says something of a word.
func known(s *jobs.Service, word string) bool {
	return slices.ContainsFunc(words(s), func(w string) bool { return strings.EqualFold(w, word) })
}

func words(s *jobs.Service) []string {
	a := &s.API
	return slices.Concat(a.Created, a.Executing, a.Success, a.Failed, a.Cancelled, a.Deleted, s.PassedOn)
}

// documented are the words in a comment of the SDK: what stands in quotes, or after a dash or a star and before a
// colon.
var documented = regexp.MustCompile(
	"“([A-Za-z][A-Za-z0-9_ -]*)”|`([A-Za-z][A-Za-z0-9_ -]*)`|[-*>。，；,;\\n] ?([A-Za-z][A-Za-z0-9_-]*) ?[：:]")

// TestDocumentedWords: where the SDK has no enum, its comment often names the words. Each is in the table too.
func TestDocumentedWords(t *testing.T) {
	root := sdk(t)
	n := 0
	for _, s := range jobs.Services() {
		pkg, response, _ := strings.Cut(s.Type, " ")
		m := newModels(filepath.Join(root, filepath.FromSlash(pkg)))
		for _, at := range statuses(m, &s, response) {
			owner, f, ok := m.holder(at)
			if !ok || m.enum(owner, f.typ) != nil {
				continue
			}
			for _, match := range documented.FindAllStringSubmatch(f.doc, -1) {
				if word := match[1] + match[2] + match[3]; !known(&s, word) {
					t.Errorf("%s: the comment of %s.%s names %q, which is in no list, and is not named as passed on", s.Name,
						owner, at.place, word)
				}
				n++
			}
		}
	}
	t.Logf("%d words", n)
	if n < 50 {
		t.Errorf("got %d words, want some 50: are the comments read as they should be?", n)
	}
}
