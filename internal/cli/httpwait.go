package cli

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/taskwait/taskwait/httptasks"
	"github.com/taskwait/taskwait/internal/text"
)

// httpFlags are those of "http wait".
type httpFlags struct {
	waiting
	described
	headerFlags
	trustFlags
}

func (s *env) httpCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "http", Short: "Tasks of any HTTP API that answers with JSON", Args: cobra.ArbitraryArgs, RunE: needsCommand,
	}
	var f httpFlags
	wait := &cobra.Command{
		Use:   "wait [flags] URL...",
		Short: "Wait until tasks have ended; the exit code says how",
		Long: `Wait until tasks have ended. Each has a URL that answers with JSON ("-" reads
URLs from standard input). The flags say where each fact stands in the answer.

` + placesText + `

@status is the place of the HTTP status of the answer.

Values of headers come from the environment or a file. Headers are sent only to
the host of the URL. Headers and the query of a URL are never printed.

` + codesText,
		Example: `  export TOKEN
  taskwait http wait --status status --success done --failure failed,error \
    --header 'Authorization: Bearer ${TOKEN}' --print response.url \
    https://api.example.com/v1/operations/7

  # Google's long-running operations
  taskwait http wait --done done --id name --code error.code \
    --reason 'error.message|error' --header-file headers.txt URL

  # 202 while it runs, 200 at the end
  taskwait http wait --status @status --executing 202 --success 200 URL`,
		RunE: func(c *cobra.Command, urls []string) error { return s.httpWait(c, &f, urls) },
	}
	f.waiting.flags(wait)
	f.severalFlags(wait)
	f.printFlags(wait)
	f.headerFlags.flags(wait)
	f.trustFlags.flags(wait)
	f.described.flags(wait)
	c.AddCommand(wait)
	return c
}

func (s *env) httpWait(c *cobra.Command, f *httpFlags, urls []string) error {
	if err := f.waiting.check(c); err != nil {
		return err
	}
	urls, err := readWords(c.Context(), urls, s.stdin)
	if err != nil {
		return err
	}
	p, err := parsePages(urls)
	if err != nil {
		return err
	}
	api, err := f.describe("http", p.origin+"/{+id}")
	if err != nil {
		return err
	}
	roots, err := f.pool()
	if err != nil {
		return err
	}
	sent, err := f.headerFlags.open(s.getenv)
	if err != nil {
		return err
	}
	of := subject{
		command: "http", title: p.origin, history: "http-" + p.host, checkID: p.check, word: p.word,
		refused: refusedHeaders, keep: map[string]string{
			"command": "http wait", "task ids": sortedWords(p.ids),
		},
	}
	f.keepIn(of.keep, c)
	f.noHistory = f.noHistory || api.Kind == ""
	return s.waitFor(c, &f.waiting, of, selection{ids: p.ids}, func(q *quota) (polled, string, error) {
		transport, err := s.roundTripper(p.origin, roots)
		if err != nil {
			return nil, "", &exitError{codeUnknown, err}
		}
		client := &http.Client{Transport: withSecrets{q.over(transport), sent, p.queries}}
		src, err := httptasks.New(client, api)
		return src, sent.source, f.explain(err)
	})
}

// pages are the URLs of tasks of one host. An id is the URL without its query, which may hold a secret.
type pages struct {
	origin, host string
	ids          []string
	queries      map[string]string // by id
}

const urlExample = "want the URL of a task, such as https://api.example.com/v1/operations/7"

func parsePages(urls []string) (*pages, error) {
	p := &pages{queries: map[string]string{}}
	if len(urls) == 0 {
		return nil, errors.New("which task? " + strings.ToUpper(urlExample[:1]) + urlExample[1:])
	}
	for _, given := range urls {
		u, err := parsePage(given)
		if err != nil {
			return nil, err
		}
		query, origin := u.RawQuery, u.Scheme+"://"+u.Host
		u.RawQuery, u.ForceQuery = "", false
		id := u.String()
		if p.origin == "" {
			p.origin, p.host = origin, u.Hostname()
		}
		before, twice := p.queries[id]
		switch {
		case origin != p.origin:
			return nil, fmt.Errorf("the URL %s is of another host than %s: wait for each host with a command of its own",
				text.Quote(id), p.origin)
		case twice && before != query:
			return nil, fmt.Errorf("the URL %s is given with two queries: wait for each with a command of its own",
				text.Quote(id))
		case !twice:
			p.ids = append(p.ids, id)
		}
		p.queries[id] = query
	}
	return p, nil
}

// parsePage reads the URL of a task. Its query is shown by no error.
func parsePage(given string) (*url.URL, error) {
	shown, _, _ := strings.Cut(given, "?")
	if strings.Contains(shown, "@") && strings.Contains(shown, "//") {
		if before, _, _ := strings.Cut(shown[strings.Index(shown, "//")+2:], "/"); strings.Contains(before, "@") {
			return nil, errors.New("a URL has a user or a password in it: give it as a header")
		}
	}
	fault := func(what string) (*url.URL, error) {
		return nil, fmt.Errorf("the URL %s %s, %s", text.Quote(shown), what, urlExample)
	}
	u, err := url.Parse(given)
	switch {
	case err != nil:
		return fault("cannot be read")
	case u.Scheme != "http" && u.Scheme != "https":
		return fault("does not begin with https://")
	case !hostName.MatchString(u.Hostname()):
		return fault("has no host")
	case strings.ContainsAny(given, "{}"):
		return fault("holds a { or a }")
	case u.Fragment != "" || strings.Contains(given, "#"):
		return fault("has a # in it")
	case strings.Contains(u.Path, "/../") || strings.HasSuffix(u.Path, "/.."):
		return fault("has .. in it")
	}
	u.Host = strings.ToLower(u.Host)
	return u, nil
}

// check returns an error if id is none of the URLs.
func (p *pages) check(id string) error {
	if !slices.Contains(p.ids, id) {
		return errors.New("no such task")
	}
	return nil
}

// word is a URL on a command line. What its query was is not said.
func (p *pages) word(id string) string {
	if p.queries[id] != "" {
		return "'" + id + "?…'"
	}
	return quote(id)
}

// withSecrets adds to each request what is not to be seen elsewhere: the headers, and the query of its URL.
type withSecrets struct {
	next    http.RoundTripper
	headers *headers
	queries map[string]string // by the URL without it
}

// RoundTrip sends a request.
func (t withSecrets) RoundTrip(req *http.Request) (*http.Response, error) {
	own := req.Clone(req.Context())
	own.URL.RawQuery = t.queries[req.URL.String()]
	t.headers.addTo(own.Header)
	return t.next.RoundTrip(own)
}

// CloseIdleConnections closes those of the transport.
func (t withSecrets) CloseIdleConnections() {
	if c, ok := t.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}
