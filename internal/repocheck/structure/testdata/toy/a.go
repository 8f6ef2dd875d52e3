// Package toy has a cycle of two files, and a leaf below them.
package toy

// A uses b.go and c.go.
type A struct{ next *B }

/*
	A comment

of two lines.
*/
func (a *A) depth() int {
	if a.next == nil {
		return leaf
	}
	return a.next.depth() + 1
}

const text = `one
two`
