package main

import (
	"strings"
	"testing"
	"testing/synctest"

	fakekafka "github.com/taskwait/taskwait/fakecloud/kafka"
)

func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		if err := run(t.Context(), fakekafka.New(), &out); err != nil {
			t.Fatal(err)
		}
		estimate, end, _ := strings.Cut(out.String(), "\n")
		if !strings.HasPrefix(estimate, "usually takes 3s; after 0s: ") || !strings.HasPrefix(end, "SUCCESS after 3.") {
			t.Errorf("got %q, want an estimate of 3 s, and then SUCCESS after 3 s and a little", out.String())
		}
		if !strings.HasSuffix(end, ", 2 polls\n") {
			t.Errorf("got %q, want two polls", end)
		}
	})
}
