package taskwait

func decide(t Task) bool { return terminal(t.Status) }

func terminal(s Status) bool { return s == StatusSuccess }
