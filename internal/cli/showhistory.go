package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/taskwait/taskwait/schedule"
)

const (
	leastBars  = 8 // fewer show nothing
	mostBars   = 32
	figure     = 7 // columns of a duration
	leastTasks = 3 // with fewer the schedule says nothing of what remains
	mostOfKind = 3 // the part of a line that the name of a kind may have: one in so many
)

func (s *env) historyCommand() *cobra.Command {
	var age time.Duration
	c := &cobra.Command{
		Use:   "history [flags] [KIND...]",
		Short: "Show how long tasks took, by kind",
		Long: `Show how long tasks took in earlier waits. For each kind there is a row of bars
from 0 to the longest duration, and the times within which half (P50) and nine
of ten (P90) of the tasks ended. --age marks where a task of that age stands,
and says how long it still takes. Nothing is sent.`,
		Example: `  taskwait history
  taskwait history --age 5m kafkaUpgrade`,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(c *cobra.Command, kinds []string) error {
			if age < 0 {
				return fmt.Errorf("--age %v, want 0 or more", age)
			}
			return s.showHistory(c.Context(), kinds, age)
		},
	}
	c.Flags().DurationVar(&age, "age", 0, "mark where a task stands that has run for this long")
	return c
}

// learned is what is known of one kind.
type learned struct {
	kind    string
	took    []time.Duration // of those that have ended, sorted
	model   *schedule.Model
	longest time.Duration
}

func (s *env) showHistory(ctx context.Context, kinds []string, age time.Duration) error {
	all, err := s.learned()
	if err != nil {
		s.note(ctx, err.Error())
	}
	all = slices.DeleteFunc(all, func(l learned) bool {
		return len(kinds) > 0 && !slices.Contains(kinds, l.kind)
	})
	if len(all) == 0 && err == nil {
		s.note(ctx, "nothing is known yet: waits remember how long tasks took that succeeded")
	}
	columns := defaultColumns
	if s.screen != nil {
		columns, _ = s.screen.size()
	}
	for _, line := range historyLines(all, age, glyphsFor(s.getenv), columns) {
		s.out.put(ctx, []byte(line+"\n"))
	}
	return nil
}

// learned reads all that is remembered, by kind. The kinds of services other than Kafka have its name before them. The
// error says which file could not be read; the others are there.
func (s *env) learned() (all []learned, fault error) {
	if s.cache == "" {
		return nil, nil
	}
	dir := filepath.Dir(historyPath(s.cache, ""))
	files, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	for _, f := range files {
		of, ok := strings.CutSuffix(f.Name(), ".json")
		of, ours := strings.CutPrefix(of, "history")
		if !ok || !ours {
			continue
		}
		path := filepath.Join(dir, f.Name())
		h, err := readHistory(path)
		if err != nil {
			fault = cmp.Or(fault, fmt.Errorf("%s: %w", clip(path), err))
			continue
		}
		of = clip(strings.TrimPrefix(of, "-"))
		all = append(all, kindsOf(h, of)...)
	}
	return all, fault
}

func kindsOf(h *schedule.History, of string) (all []learned) {
	var saved struct {
		Kinds map[string][]struct {
			Took    time.Duration `json:"took"`
			Running bool          `json:"running"`
		} `json:"kinds"`
	}
	if text, err := json.Marshal(h); err != nil || json.Unmarshal(text, &saved) != nil {
		return nil
	}
	for _, kind := range slices.Sorted(maps.Keys(saved.Kinds)) {
		l := learned{kind: strings.TrimSpace(of + " " + clip(kind)), model: h.Model(kind)}
		for _, d := range saved.Kinds[kind] {
			if !d.Running {
				l.took = append(l.took, d.Took)
			}
		}
		if slices.Sort(l.took); len(l.took) > 0 {
			l.longest = l.took[len(l.took)-1]
			all = append(all, l)
		}
	}
	return all
}

// historyLines are a heading, a line for each kind, and below it, with an age, where a task of that age stands.
// What has no room is left out, from the right; the bars need leastBars columns.
func historyLines(all []learned, age time.Duration, g *glyphs, columns int) (lines []string) {
	if len(all) == 0 {
		return nil
	}
	name, room := width("KIND"), columns-1
	for i := range all {
		all[i].kind = g.text(all[i].kind)
		name = max(name, width(all[i].kind))
	}
	name = min(name, max(room/mostOfKind, leastLabel))
	figures := min((room-name)/(len(gap)+figure), 4) // P50, P90, the longest, how many
	bars := min(room-name-figures*(len(gap)+figure)-len(gap), mostBars)
	if bars < leastBars {
		bars = 0
	}
	row := func(kind, drawn string, cells ...string) {
		line := widths.FillRight(widths.Truncate(kind, name, g.more), name)
		if bars > 0 {
			line += gap + widths.FillRight(drawn, bars)
		}
		for _, c := range cells[:figures] {
			line += gap + widths.FillLeft(c, figure)
		}
		lines = append(lines, strings.TrimRight(line, " "))
	}
	row("KIND", "0 TO THE LONGEST", "P50", "P90", "LONGEST", "TASKS")
	for _, l := range all {
		p50, p90 := "-", "-"
		if e, ok := l.model.Estimate(0); ok && e.Median > 0 {
			p50, p90 = short(e.Median), short(e.RemainingP90)
		}
		row(l.kind, l.bars(bars, g), p50, p90, short(l.longest), fmt.Sprint(len(l.took)))
		if age > 0 {
			lines = append(lines, l.stands(age, name+len(gap), bars, g, columns))
		}
	}
	return lines
}

// The heights of a bar, from the least on.
var (
	unicodeBars = []rune("▁▂▃▄▅▆▇█")
	asciiBars   = []rune("._-=+*%#")
)

// bars are how many tasks took how long, from 0 to the longest, in n parts of the same length.
func (l *learned) bars(n int, g *glyphs) string {
	if n == 0 {
		return ""
	}
	counts, heights := make([]int, n), unicodeBars
	if g.ascii {
		heights = asciiBars
	}
	for _, d := range l.took {
		counts[l.part(d, n)]++
	}
	most := slices.Max(counts)
	var b strings.Builder
	for _, c := range counts {
		if c == 0 {
			b.WriteByte(' ')
			continue
		}
		b.WriteRune(heights[(len(heights)-1)*c/most])
	}
	return b.String()
}

// part is in which of n parts a duration is.
func (l *learned) part(d time.Duration, n int) int {
	return min(int(float64(n)*float64(d)/float64(l.longest)), n-1)
}

// stands is the line that marks an age below the bars, and says what remains.
func (l *learned) stands(age time.Duration, left, bars int, g *glyphs, columns int) string {
	text := "longer than nearly all"
	switch e, ok := l.model.Estimate(age); {
	case len(l.took) < leastTasks:
		text = "too few tasks to say what remains"
	case ok:
		text = fmt.Sprintf("%s to %s left", short(e.RemainingP50), short(e.RemainingP90))
	}
	text = "^ " + whole(age) + ": " + text
	at := len(gap)
	if bars > 0 {
		at = left + l.part(age, bars)
	}
	at = min(at, max(columns-1-width(text), len(gap)))
	return g.fit(strings.Repeat(" ", at)+text, columns)
}
