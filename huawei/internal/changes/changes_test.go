package changes

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestPreparationIsForgotten: what was read long ago says little of what is there.
func TestPreparationIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kept, p := &readings{}, &taskList{}
		for after, want := range map[time.Duration]bool{0: true, keptFor - 1: true, keptFor: false} {
			kept.keep(p)
			time.Sleep(after)
			if got := kept.take(); (got == p) != want {
				t.Errorf("after %v it is kept: %v, want %v", after, got == p, want)
			}
			if kept.take() == p {
				t.Error("it was taken twice")
			}
		}
	})
}
