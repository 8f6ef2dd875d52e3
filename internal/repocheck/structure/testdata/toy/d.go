package toy

var zero = fieldOf(new(struct{ Point }))

func fieldOf(s *struct{ Point }) int { return s.x + origin().x }
