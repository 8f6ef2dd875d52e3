package cli

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskwait/taskwait/schedule"
)

// testLearned is a history of three kinds: one that is known well, one with a foreign name, one that was seen once.
func testLearned() []learned {
	h := &schedule.History{}
	for i := range 40 {
		h.Add("kafkaInstanceExtend", time.Duration(100+(i*i*7)%90)*time.Second)
		h.Add("升级\x1b[5m任务", time.Duration(20+i)*time.Minute)
	}
	h.Add("bindInstancePublicIp", 2994*time.Millisecond)
	return kindsOf(h, "")
}

// TestShowHistory compares what is drawn with testdata, for wide and narrow screens. No line is wider than the screen.
func TestShowHistory(t *testing.T) {
	for _, columns := range []int{120, 80, 40, 20} {
		lines := historyLines(testLearned(), 150*time.Second, unicodeGlyphs, columns)
		for _, line := range lines {
			if w := width(line); w >= columns {
				t.Errorf("got a line of %d columns, want less than %d: %q", w, columns, line)
			}
		}
		text := strings.Join(lines, "\n") + "\n"
		if strings.Contains(text, "\x1b") {
			t.Errorf("got %q, want no control character", text)
		}
		golden(t, fmt.Sprintf("history-%d.txt", columns), text)
		text = strings.Join(historyLines(testLearned(), time.Hour, asciiGlyphs, columns), "\n")
		if strings.IndexFunc(text, func(r rune) bool { return r > '~' }) >= 0 {
			t.Errorf("%d columns: got\n%s\nwant ASCII", columns, text)
		}
	}
}

// TestHistoryCommand shows what waits have left, what cannot be read, and that there is nothing.
func TestHistoryCommand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTestEnv(t)
		w.cache = t.TempDir()
		if code, stdout, stderr := w.run(t.Context(), "history"); code != 0 || stdout != "" ||
			!strings.Contains(stderr, "nothing is known yet") {
			t.Errorf("got code %d, %q, %q, want 0, and that nothing is known", code, stdout, stderr)
		}
		w.cloud.AddTask(testInstance, script("good", 15*time.Second, "SUCCESS"))
		w.run(t.Context(), "kafka", "wait", "good")
		want := "bindInstancePublicIp"
		for _, args := range []string{"history", "history " + want, "history --age 5s"} {
			code, stdout, stderr := w.run(t.Context(), strings.Fields(args)...)
			if code != 0 || !strings.Contains(stdout, want) || stderr != "" {
				t.Errorf("%s: got code %d, %q, %q, want 0 and the kind", args, code, stdout, stderr)
			}
		}
		if _, stdout, _ := w.run(t.Context(), "history", "another"); stdout != "" {
			t.Errorf("got %q, want no other kind than the given one", stdout)
		}
		if err := writeHistory(w.cache, []byte("[]")); err != nil {
			t.Fatal(err)
		}
		if _, _, stderr := w.run(t.Context(), "history"); !strings.Contains(stderr, "cannot be read") {
			t.Errorf("got %q, want that the file cannot be read", stderr)
		}
		if code, _, _ := w.run(t.Context(), "history", "--age", "-1s"); code != codeUsage {
			t.Errorf("got code %d, want %d", code, codeUsage)
		}
	})
}
