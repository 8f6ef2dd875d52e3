package toy

// B uses a.go: a method alone.
type B struct{ inner interface{ depth() int } }

func (b *B) depth() int { return (&A{}).depth() + len(text) }
