package debugpage

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the page's files
	"encoding/base64"
	"fmt"
	"html/template"
	"net/url"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/taskwait/taskwait/internal/text"
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

//go:embed page.js
var pageJS string

var pageTemplate = template.Must(template.New("page").Parse(pageHTML))

// policy lets the page load nothing, and run and show nothing but its own script and style.
var policy = fmt.Sprintf("default-src 'none'; script-src '%s'; style-src '%s'; connect-src 'self'; "+
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'", hash(pageJS), hash(pageCSS))

func hash(source string) string {
	sum := sha256.Sum256([]byte(source))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// writeHTML writes the page for a browser.
func (p *page) writeHTML(b *bytes.Buffer) error {
	return pageTemplate.Execute(b, struct {
		*page
		Query   query
		Columns []column
		CSS     template.CSS
		JS      template.JS
	}{p, p.query, columns, template.CSS(pageCSS), template.JS(pageJS)}) //nolint:gosec // ours, and no text from outside
}

// Clock is when the page was made.
func (p *page) Clock() string { return p.At.Format(time.TimeOnly) + " UTC" }

// Count says how many waits there are.
func (p *page) Count() string {
	s := text.Count(p.Waits, "wait")
	if p.Trouble > 0 {
		s += fmt.Sprintf(", %d in trouble", p.Trouble)
	}
	if p.query.Find != "" {
		s += fmt.Sprintf(", %d with %s", p.Found, text.Quote(p.query.Find))
	}
	return s
}

// Shown says which rows are shown, where those are not all.
func (p *page) Shown() string {
	if len(p.Rows) == p.Found {
		return ""
	}
	if len(p.Rows) == 0 {
		return fmt.Sprintf("none from %d on", p.Offset+1)
	}
	return fmt.Sprintf("%d to %d", p.Offset+1, p.Offset+len(p.Rows))
}

// link is the page with a parameter changed: the name of one, and its value.
func (p *page) link(name, value string) string {
	q := p.query
	v := url.Values{"sort": {q.Sort}}
	if q.Down {
		v.Set("sort", "-"+q.Sort)
	}
	for _, n := range []struct {
		name         string
		value, usual int
	}{
		{"limit", q.Limit, defaultLimit},
		{"offset", q.Offset, 0},
		{"refresh", q.Refresh, int(defaultRefresh / time.Second)},
	} {
		if n.value != n.usual {
			v.Set(n.name, strconv.Itoa(n.value))
		}
	}
	if q.Find != "" {
		v.Set("q", q.Find)
	}
	if v.Set(name, value); name == "sort" {
		v.Del("offset") // what comes first now is of interest
	}
	return "?" + v.Encode()
}

// SortLink sorts by a column, or the other way round if it is sorted by that.
func (p *page) SortLink(c column) string {
	down := c.Number // the greatest are of interest
	if p.query.Sort == c.Name {
		down = !p.query.Down
	}
	if down {
		return p.link("sort", "-"+c.Name)
	}
	return p.link("sort", c.Name)
}

// Sorted says how the column is sorted, as ARIA words it.
func (p *page) Sorted(c column) string {
	switch {
	case p.query.Sort != c.Name:
		return "none"
	case p.query.Down:
		return "descending"
	}
	return "ascending"
}

// Cell is what a row shows in a column.
func (p *page) Cell(c column, r *row) string { return c.Text(r) }

// Before links to the rows before; empty: there are none.
func (p *page) Before() string {
	if p.Offset == 0 {
		return ""
	}
	return p.link("offset", strconv.Itoa(max(p.Offset-p.query.Limit, 0)))
}

// After links to the rows that follow; empty: there are none.
func (p *page) After() string {
	if p.Offset+len(p.Rows) >= p.Found {
		return ""
	}
	return p.link("offset", strconv.Itoa(p.Offset+p.query.Limit))
}

// Other links to another form of the page.
func (p *page) Other(format string) string {
	return p.link("format", format)
}

// RefreshLink stops the refreshing, or goes on with it.
func (p *page) RefreshLink() string {
	if p.query.Refresh > 0 {
		return p.link("refresh", "0")
	}
	return p.link("refresh", strconv.Itoa(int(defaultRefresh/time.Second)))
}

// writeText writes the page for a terminal.
func (p *page) writeText(b *bytes.Buffer) error {
	fmt.Fprintf(b, "%s: %s", p.At.Format(time.RFC3339), p.Count())
	if s := p.Shown(); s != "" {
		fmt.Fprintf(b, ", %s", s)
	}
	b.WriteString("\n\n")
	if len(p.Rows) == 0 {
		return nil
	}
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	var cells []string
	for i := range columns {
		cells = append(cells, strings.ToUpper(columns[i].Title))
	}
	_, _ = fmt.Fprintln(w, strings.Join(cells, "\t")) // a Buffer takes all
	for i := range p.Rows {
		cells = cells[:0]
		for k := range columns {
			cell := columns[k].Text(p.Rows[i])
			if cell == "" {
				cell = "-"
			}
			cells = append(cells, cell)
		}
		_, _ = fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
	return w.Flush()
}
