package benchmarks

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"image/color"
	"io"
	"log"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/taskwait/taskwait/internal/optimum"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

var picture = flag.String("picture", "", "write the picture of queries against delay to this file, .svg or .png")

// TestPicture draws queries against delay on the five kinds: the peers as points, taskwait as a curve, the optimum as a
// line.
//
//	go test -run TestPicture . -picture ../docs/polling.svg
func TestPicture(t *testing.T) {
	if *picture == "" {
		t.Log("no -picture: nothing is drawn")
		return
	}
	log.SetOutput(io.Discard)
	w := workloads()[3]
	plot.DefaultFont.Variant = "Sans"
	p := plot.New()
	p.Title.Text = "Waiting for tasks of five kinds (3 s to 15 min): how often, and how late"
	p.X.Label.Text, p.Y.Label.Text = "queries per task", "mean delay, seconds"
	p.X.Scale, p.Y.Scale = plot.LogScale{}, plot.LogScale{}
	p.X.Tick.Marker = ticks{1, 2, 5, 10, 20, 50, 100, 200, 500, 1000}
	p.Y.Tick.Marker = ticks{0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50}
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 1, 1500, 0.2, 60
	p.BackgroundColor = color.White // legible on a dark page, too
	p.Add(plotter.NewGrid())
	line(t, p, "optimum", w.best2(), color.Gray{150}, nil)
	line(t, p, "taskwait, 20 of each kind seen", xys(curve(t, w)), color.RGBA{R: 200, A: 255}, nil)
	var others []point
	for _, peer := range peers() {
		s := w.play(t, peer, peer.tasks())
		others = append(others, point{peer.name, s.queries, s.delay()})
	}
	points(t, p, others)
	p.Legend.Top, p.Legend.XOffs = true, -vg.Points(10)
	if err := p.Save(8*vg.Inch, 5*vg.Inch, *picture); err != nil {
		t.Fatal(err)
	}
	nameFonts(t, *picture)
}

// nameFonts names the fonts of a picture that most machines have, and that are as wide as those it was laid out for.
func nameFonts(t *testing.T, file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text = bytes.ReplaceAll(text, []byte("Liberation Sans"), []byte("Liberation Sans, Arial, Helvetica, sans-serif"))
	if err := os.WriteFile(file, text, 0o644); err != nil { //nolint:gosec // everybody may read it
		t.Fatal(err)
	}
}

// best2 is the optimum's queries and delay, for a query that is worth less and less.
func (w workload) best2() (all plotter.XYs) {
	for c := 200.0; c > 0.005; c /= 2 {
		var at plotter.XY
		for _, l := range w.kinds {
			cost, looks := optimum.Solve(l.Survival, l.Mean, l.Step, c, int(l.End/l.Step))
			queries, last := 0.0, 0.0
			for _, look := range looks {
				queries += l.Survival(last)
				last = look
			}
			at.X += queries / float64(len(w.kinds))
			at.Y += (cost - c*queries) / float64(len(w.kinds))
		}
		all = append(all, at)
	}
	return all
}

func xys(points []point) (all plotter.XYs) {
	for _, p := range points {
		all = append(all, plotter.XY{X: p.queries, Y: p.delay})
	}
	return all
}

func line(t *testing.T, p *plot.Plot, name string, at plotter.XYs, c color.Color, dashes []vg.Length) {
	l, err := plotter.NewLine(at)
	if err != nil {
		t.Fatal(err)
	}
	l.Color, l.Width, l.Dashes = c, vg.Points(2), dashes
	p.Add(l)
	p.Legend.Add(name, l)
}

func points(t *testing.T, p *plot.Plot, peers []point) {
	dots, err := plotter.NewScatter(xys(peers))
	if err != nil {
		t.Fatal(err)
	}
	dots.Shape, dots.Radius, dots.Color = draw.CircleGlyph{}, vg.Points(3), color.RGBA{B: 160, A: 255}
	groups := together(peers)
	spread(groups)
	labels := plotter.XYLabels{XYs: xys(groups)}
	for _, g := range groups {
		labels.Labels = append(labels.Labels, g.name)
	}
	names, err := plotter.NewLabels(labels)
	if err != nil {
		t.Fatal(err)
	}
	names.Offset = vg.Point{X: vg.Points(6), Y: -vg.Points(3)}
	for i := range names.TextStyle {
		names.TextStyle[i].Font.Size = vg.Points(8)
	}
	p.Add(dots, names)
}

// together puts peers that do alike under one label.
func together(peers []point) (groups []point) {
	for _, p := range peers {
		i := slices.IndexFunc(groups, func(g point) bool {
			return math.Abs(math.Log(g.queries/p.queries)) < 0.1 && math.Abs(math.Log(g.delay/p.delay)) < 0.1
		})
		if i < 0 {
			groups = append(groups, p)
		} else {
			groups[i].name += "; " + p.name
		}
	}
	return groups
}

// spread moves labels down that would lie on others.
func spread(groups []point) {
	slices.SortFunc(groups, func(a, b point) int { return cmp.Compare(b.delay, a.delay) })
	for i := 1; i < len(groups); i++ {
		if above := groups[i-1]; groups[i].delay > above.delay/1.17 && groups[i].queries < 5*above.queries {
			groups[i].delay = above.delay / 1.17
		}
	}
}

// ticks are at these values.
type ticks []float64

// Ticks gives those between two values.
func (all ticks) Ticks(from, to float64) (marks []plot.Tick) {
	for _, v := range all {
		if v >= from-math.SmallestNonzeroFloat64 && v <= to {
			marks = append(marks, plot.Tick{Value: v, Label: fmt.Sprint(v)})
		}
	}
	return marks
}
