package cli

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"github.com/taskwait/taskwait/internal/text"
	"github.com/taskwait/taskwait/internal/wire"
)

// headerFlags are those of the headers of a request. No value is printed, or given on the command line alone: others on
// the machine can read that, and so can the history of a shell.
type headerFlags struct {
	given []string
	file  string
}

const headerExample = `want a variable in it, as in 'Authorization: Bearer ${TOKEN}', or --header-file`

func (h *headerFlags) flags(c *cobra.Command) {
	c.Flags().StringArrayVar(&h.given, "header", nil,
		"header of each request, with values from the environment: 'Authorization: Bearer ${TOKEN}'")
	c.Flags().StringVar(&h.file, "header-file", "",
		"file with a header on each line, such as Authorization: Bearer …; read again when it changes")
	complete(c, "header", func() []string { return nil })
}

// headers are what is sent with each request. They follow their file; while that cannot be read, those that were read
// last are sent. Safe for concurrent use.
type headers struct {
	own    http.Header // from the environment
	path   string      // empty: no file
	source string      // where they are from, to be shown; empty: there are none

	mu    sync.Mutex
	file  http.Header
	stamp stamp
}

var (
	variable   = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)
	headerName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")
)

// open makes the headers of the flags.
func (h *headerFlags) open(getenv func(string) string) (*headers, error) {
	all := &headers{own: http.Header{}, path: h.file}
	var from, names []string
	for _, line := range h.given {
		name, value, err := fill(line, getenv)
		if err != nil {
			return nil, fmt.Errorf("--header %w", err)
		}
		all.own.Add(name, value)
		for _, m := range variable.FindAllStringSubmatch(line, -1) {
			names = append(names, m[1])
		}
	}
	if len(names) > 0 {
		from = append(from, "the environment ("+strings.Join(unique(names), ", ")+")")
	}
	if h.file != "" {
		var err error
		all.stamp = stampOf(h.file)
		if all.file, err = readHeaders(h.file); err != nil {
			return nil, fmt.Errorf("--header-file: %w", err)
		}
		from = append(from, "the file "+h.file)
	}
	all.source = strings.Join(from, " and ")
	if err := wire.CheckHeader(all.own); err != nil {
		return nil, fmt.Errorf("--header: %w", err)
	}
	return all, nil
}

// fill splits a header, and puts in what stands in the environment.
func fill(line string, getenv func(string) string) (name, value string, err error) {
	name, value, found := strings.Cut(line, ":")
	switch {
	case !found || !headerName.MatchString(name): // not shown: it may be the value
		return "", "", errors.New("has no name with a colon at its beginning, " + headerExample)
	case !variable.MatchString(value):
		return "", "", fmt.Errorf("%s has its value on the command line, %s", name, headerExample)
	}
	value = variable.ReplaceAllStringFunc(value, func(v string) string {
		filled := strings.TrimSpace(getenv(v[2 : len(v)-1]))
		if filled == "" && err == nil {
			err = fmt.Errorf("%s: the environment variable %s is not set, or empty", name, v[2:len(v)-1])
		}
		return filled
	})
	return name, strings.TrimSpace(value), err
}

// readHeaders reads a file with a header on each line.
func readHeaders(path string) (http.Header, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	h := http.Header{}
	number := 0
	for line := range strings.Lines(strings.TrimPrefix(string(content), "\ufeff")) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, found := strings.Cut(line, ":")
		if !found || !headerName.MatchString(name) {
			return nil, fmt.Errorf("%s: line %d has no name with a colon at its beginning", text.Clip(path), number)
		}
		h.Add(name, strings.TrimSpace(value))
	}
	return h, wire.CheckHeader(h)
}

// addTo sets the headers of a request.
func (h *headers) addTo(to http.Header) {
	for _, of := range []http.Header{h.latest(), h.own} {
		for name, values := range of {
			to[name] = values
		}
	}
}

// latest are the headers of the file as it is now.
func (h *headers) latest() http.Header {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.path == "" {
		return nil
	}
	if now := stampOf(h.path); now != h.stamp {
		if read, err := readHeaders(h.path); err == nil {
			h.file, h.stamp = read, now
		}
	}
	return h.file
}

// refusedHeaders says what to do when the service refuses the headers.
func refusedHeaders(source string) string {
	if source == "" {
		return "the service needs credentials: give them with --header or --header-file"
	}
	return "the service refuses the credentials from " + source + ": check that they are right, and still valid"
}
