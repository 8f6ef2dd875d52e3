package toy

// Point is used by d.go, through a field alone.
type Point struct{ x int }

const leaf = 0

func origin() (p Point) { return p }
