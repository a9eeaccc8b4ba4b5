# The image of a worker: Debian with the package installed, so that an instance only needs values to start.

packer {
  required_plugins {
    amazon = {
      version = ">= 1.3.0"
      source  = "github.com/hashicorp/amazon"
    }
  }
}

variable "region" {
  type        = string
  description = "Where the image is made, and used."
}

variable "wheel" {
  type        = string
  description = "The package's wheel to install."
}

variable "architecture" {
  type        = string
  description = "amd64 or arm64, as Debian names them; it must fit the workers' instance type."
  default     = "amd64"

  validation {
    condition     = contains(["amd64", "arm64"], var.architecture)
    error_message = "The architecture is amd64 or arm64."
  }
}

source "amazon-ebs" "worker" {
  region        = var.region
  instance_type = var.architecture == "arm64" ? "c7g.large" : "c7i.large"
  ami_name      = "crypto-watch-worker-${var.architecture}-${formatdate("YYYYMMDD-hhmmss", timestamp())}"

  # Only this machine may reach the builder, and its key does not stay in the image.
  ssh_username                              = "admin"
  ssh_clear_authorized_keys                 = true
  temporary_security_group_source_public_ip = true

  # Debian's own images, by Debian's own account.
  source_ami_filter {
    owners      = ["136693071363"]
    most_recent = true
    filters = {
      name                = "debian-13-${var.architecture}-*"
      virtualization-type = "hvm"
      root-device-type    = "ebs"
    }
  }

  launch_block_device_mappings {
    device_name           = "/dev/xvda"
    volume_type           = "gp3"
    volume_size           = 8
    encrypted             = true
    delete_on_termination = true
  }

  # The builder and every instance made of the image ask for credentials the way that a forged request cannot.
  imds_support = "v2.0"
  metadata_options {
    http_endpoint = "enabled"
    http_tokens   = "required"
  }

  tags = {
    Name = "crypto-watch-worker"
  }
}

build {
  sources = ["source.amazon-ebs.worker"]

  provisioner "shell" {
    inline = ["mkdir /tmp/crypto-watch"]
  }

  provisioner "file" {
    sources     = ["${path.root}/units", "${path.root}/conf", "${path.root}/scripts", "${path.root}/../requirements.txt"]
    destination = "/tmp/crypto-watch/"
  }

  # A wheel keeps its name: pip reads the version from it.
  provisioner "file" {
    source      = var.wheel
    destination = "/tmp/crypto-watch/${basename(var.wheel)}"
  }

  provisioner "shell" {
    inline = ["sudo bash /tmp/crypto-watch/scripts/provision.sh /tmp/crypto-watch"]
  }

  post-processor "manifest" {
    output     = "${path.root}/manifest.json"
    strip_path = true
  }
}
