terraform {
  required_providers {
    example = { source = "taskwait/example" }
  }
}

variable "endpoint" {}
variable "project_id" {}
variable "access_key" {}
variable "secret_key" { sensitive = true }

provider "example" {
  endpoint   = var.endpoint
  project_id = var.project_id
  access_key = var.access_key
  secret_key = var.secret_key
  owner      = "shop/production"
}

resource "example_kafka_instance" "orders" {
  name               = "orders"
  product            = "c6.2u4g.cluster"
  brokers            = 3
  storage            = 300
  vpc_id             = "vpc-1"
  subnet_id          = "subnet-1"
  security_group_id  = "group-1"
  availability_zones = ["zone-1"]

  timeouts = {
    create = "50m"
    update = "2h"
    delete = "15m"
  }
}

output "address" {
  value = example_kafka_instance.orders.connect_address
}
