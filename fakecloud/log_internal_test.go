package fakecloud

import (
	"net/http/httptest"
	"strconv"
	"testing"
)

// TestLogIsBounded: a server that runs for days forgets its oldest requests, also when one of them is still under way.
func TestLogIsBounded(t *testing.T) {
	g := &Gateway{}
	arrive := func(n int) *Exchange {
		e := &Exchange{gateway: g, req: httptest.NewRequest("GET", "https://fake/"+strconv.Itoa(n), nil), Status: 200}
		g.recordArrival(e)
		return e
	}
	first := arrive(1)
	for n := 2; n <= 2*maxLog; n++ {
		g.log = append(g.log, Request{})
	}
	last := arrive(2*maxLog + 1)
	if len(g.log) != maxLog+1 || last.number != 2*maxLog+1 || last.requestID() == first.requestID() {
		t.Errorf("%d requests, the last is number %d, want %d and %d", len(g.log), last.number, maxLog+1, 2*maxLog+1)
	}
	g.recordAnswer(first) // which is forgotten
	g.recordDisconnect(first)
	g.recordAnswer(last)
	log := g.Requests()
	if r := log[len(log)-1]; r.Status != 200 || r.Path != "/"+strconv.Itoa(2*maxLog+1) || log[0].Disconnected {
		t.Errorf("last = %+v, want it answered, and nothing else changed", r)
	}
}
