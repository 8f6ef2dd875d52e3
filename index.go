package taskwait

import (
	"hash/maphash"
	"math/bits"
)

// index finds slots by their ids. A map would take four times the memory.
type index struct {
	seed  maphash.Seed
	table []int32 // slots, counted from 1, at the hash of their id or after it
}

// newIndex has room for n slots.
func newIndex(n int) index {
	return index{maphash.MakeSeed(), make([]int32, 1<<bits.Len(uint(n+n/2)))} //nolint:gosec // never negative
}

// place is where in the table id is, or would be.
func (x *index) place(slots []slot, id string) int {
	mask := len(x.table) - 1
	at := int(maphash.String(x.seed, id)) & mask //nolint:gosec // masked
	for x.table[at] != 0 && slots[x.table[at]-1].id != id {
		at = (at + 1) & mask
	}
	return at
}

// add adds the last of slots.
func (x *index) add(slots []slot) {
	last := slots[len(slots)-1]
	x.table[x.place(slots[:len(slots)-1], last.id)] = int32(len(slots)) //nolint:gosec // a million fits
}

func (x *index) find(slots []slot, id string) (int32, bool) {
	n := x.table[x.place(slots, id)]
	return n - 1, n > 0
}
