package schedule

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestHistoryModel(t *testing.T) {
	var h History
	if m := h.Model("resize"); m != nil {
		t.Errorf("a model of what nobody has seen: %v", m)
	}
	for range 4 {
		h.Add("resize", time.Minute)
	}
	m := h.Model("resize")
	if e, ok := m.Estimate(0); !ok || (e.Median-time.Minute).Abs() > 3*time.Second {
		t.Errorf("after four tasks of a minute: %+v, %v", e, ok)
	}
	if again := h.Model("resize"); again != m {
		t.Error("the model was made anew though nothing has changed")
	}
	for range 9 {
		h.AddRunning("resize", time.Hour)
	}
	if e, _ := h.Model("resize").Estimate(0); e.Median != 0 {
		t.Errorf("with nine that have run for an hour the median is %v, want it unknown", e.Median)
	}
}

// TestHistoryWeights: a duration counts half after sixty more.
func TestHistoryWeights(t *testing.T) {
	var h History
	h.Add("resize", time.Minute)
	h.AddRunning("resize", 10*time.Second)
	h.Add("resize", time.Hour)
	want := Learn([]Sample{
		{Age: time.Minute, Weight: math.Exp2(-2. / 60)},
		{Age: 10 * time.Second, Running: true, Weight: math.Exp2(-1. / 60)},
		{Age: time.Hour, Weight: 1},
	})
	if got := h.Model("resize"); *got != *want {
		t.Error("got a model other than that of the same durations, with these weights")
	}
}

func TestHistoryBounded(t *testing.T) {
	h := &History{}
	for i := range 1000 {
		h.Add("resize", time.Duration(i))
	}
	for i := range 1000 {
		h.Add(fmt.Sprint("made up ", i), time.Second)
		h.Add("resize", 1000)
	}
	h.Add("", time.Second)
	h.AddRunning("", time.Second)
	h.Add("negative", -time.Second)
	h.Add("unknown", 0)
	h.AddRunning("unknown", 0)
	if n := len(h.kinds["resize"].durations); n != maxDurations || len(h.kinds) != maxKinds {
		t.Errorf("%d durations of a kind, %d kinds; want %d, %d", n, len(h.kinds), maxDurations, maxKinds)
	}
	for _, kind := range []string{"", "negative", "unknown"} {
		if _, kept := h.kinds[kind]; kept {
			t.Errorf("%q was kept, want it ignored", kind)
		}
	}
	if _, kept := h.kinds["made up 999"]; !kept {
		t.Error("the latest kind was forgotten")
	}
}

func TestHistoryJSON(t *testing.T) {
	h := &History{}
	if text, err := json.Marshal(h); err != nil || string(text) != `{"version":1,"kinds":{}}` {
		t.Errorf("JSON of the zero History = %s, %v", text, err)
	}
	h.Add("resize", time.Second)
	h.Add("resize", 2*time.Second)
	h.AddRunning("resize", time.Minute)
	text, err := json.Marshal(h)
	want := `{"version":1,"kinds":{"resize":[{"took":1000000000},{"took":2000000000},` +
		`{"took":60000000000,"running":true}]}}`
	if err != nil || string(text) != want {
		t.Errorf("JSON = %s, %v\nwant   %s", text, err, want)
	}
	var back History
	back.Add("before", time.Second) // is replaced
	if err := json.Unmarshal(text, &back); err != nil ||
		!reflect.DeepEqual(back.kinds["resize"].durations, h.kinds["resize"].durations) {
		t.Errorf("back from JSON: %v, %v", back.kinds["resize"], err)
	}
	for _, tt := range []struct{ name, text, want string }{
		{"of the future", `{"version":2}`, "version 2, want 1"},
		{"of no version", `{}`, "version 0, want 1"},
		{"negative", `{"version":1,"kinds":{"a":[{"took":-1}],"b":[{"took":1}]}}`, `"a" took -1ns, want 0 or more`},
		{"no JSON", `[]`, "schedule: history: json"},
	} {
		if err := json.Unmarshal([]byte(tt.text), &back); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.want)
		}
	}
	if len(back.kinds) != 1 {
		t.Errorf("bad input has changed the history: %v", back.kinds)
	}
	if err := json.Unmarshal([]byte(`{"version":1,"kinds":{"at once":[{"took":0}]}}`), &back); err != nil {
		t.Errorf("a task that took no time: %v, want it read", err)
	}
}

func TestHistoryMerge(t *testing.T) {
	h, other := &History{QueryCost: time.Minute}, &History{QueryCost: time.Hour}
	h.Add("resize", time.Second)
	other.AddRunning("resize", time.Minute)
	other.Add("upgrade", time.Hour)
	h.Merge(other)
	h.Merge(&History{})
	h.Merge(nil)
	want := `{"version":1,"kinds":{"resize":[{"took":1000000000},{"took":60000000000,"running":true}],` +
		`"upgrade":[{"took":3600000000000}]}}`
	if text, err := json.Marshal(h); err != nil || string(text) != want || h.QueryCost != time.Minute {
		t.Errorf("got %s, %v and %v\nwant %s and 1m0s", text, err, h.QueryCost, want)
	}
	h.Merge(h)
	if n := len(h.kinds["resize"].durations); n != 4 {
		t.Errorf("merged with itself: %d durations, want 4", n)
	}
}

// TestMergeKeepsTheLatest: where both together know too many kinds, those that were added to the longest ago go.
func TestMergeKeepsTheLatest(t *testing.T) {
	h, other := &History{}, &History{}
	for i := range maxKinds {
		h.Add(fmt.Sprint("old ", i), time.Second)
		other.Add(fmt.Sprint("new ", i), time.Second)
	}
	other.Add("new 0", time.Second)
	h.Merge(other)
	for _, kind := range []string{"new 0", "new 1", fmt.Sprint("new ", maxKinds-1)} {
		if h.Model(kind) == nil {
			t.Errorf("%q is forgotten, want all that is new", kind)
		}
	}
	h.Add("one more", time.Second)
	if h.Model("new 1") != nil || h.Model("new 0") == nil {
		t.Error("the kind that was added to last is forgotten, want the one of the longest ago")
	}
}

func TestHistoryConcurrent(t *testing.T) {
	h := &History{}
	var all sync.WaitGroup
	for i := range 100 {
		all.Go(func() {
			h.Add("resize", time.Duration(i+1)*time.Second)
			if h.Model("resize") == nil {
				t.Error("nothing is known of what was just added")
			}
			if _, err := json.Marshal(h); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := len(h.kinds["resize"].durations); n != 100 {
		t.Errorf("%d durations, want 100", n)
	}
}
